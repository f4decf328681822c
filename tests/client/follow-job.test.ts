import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { createClient, REALTIME_CHANNEL_STATES } from '@supabase/supabase-js';
import { followJob, MashupClientError, replayMashup } from '@mashup-engine/client';
import type { JobFollower, MashupJob } from '@mashup-engine/client';
import { followToEnd } from '../../cli/job-outcome.ts';
import type { ClaimedTask } from '../state-machine/state-machine-fixture.ts';
import { startFunctionsFixture } from '../functions/functions-fixture.ts';
import { until } from '../support/until.ts';
import type { Visitor } from '../functions/functions-fixture.ts';

const surface = await startFunctionsFixture({ after }, { functions: false });
const { machine } = surface;
const worker = await machine.worker();
const SLOW_STORAGE_MS = 300;

/** Submits a job of the visitor. It is cancelled at the end of the test. */
async function submit(t: TestContext, visitor: Visitor): Promise<string> {
  const id = await machine.submit(visitor.id);
  t.after(
    () => machine.sql`select mashup.cancel(id) from public.mashup_jobs where id = ${id} and status = 'processing'`,
  );
  return id;
}

/** Runs the tasks of one job to its end, or to the first task of kind `stopAt`, which it returns. */
async function work(jobId: string, stopAt?: ClaimedTask['kind']): Promise<ClaimedTask | undefined> {
  for (;;) {
    const task = await machine.claimNext(worker, jobId);
    if (task === undefined || task.kind === stopAt) return task;
    await machine.finish(task);
  }
}

interface Followed {
  follower: JobFollower;
  versions: number[];
  stages: string[];
  live: boolean[];
}

async function follow(
  client: Parameters<typeof followJob>[0],
  id: string,
  options: Parameters<typeof followJob>[2] = {},
): Promise<Followed> {
  const received: Omit<Followed, 'follower'> = { versions: [], stages: [], live: [] };
  const follower = followJob(client, id, {
    // Longer than any test: changes come from Realtime, or from a snapshot with another cause.
    safetyReadMs: 600_000,
    ...options,
    onChange: (job) => {
      received.versions.push(job.version);
      if (received.stages.at(-1) !== job.stage) received.stages.push(job.stage);
    },
    onLive: (isLive) => received.live.push(isLive),
  });
  after(() => follower.stop());
  return { follower, ...received };
}

function assertRising(versions: number[]): void {
  assert.deepEqual(
    versions,
    [...new Set(versions)].sort((a, b) => a - b),
  );
}

describe('followJob', () => {
  test('receives every stage of a job live, in order, and ends with it', async (t) => {
    const visitor = await surface.visitor();
    const id = await submit(t, visitor);
    const { follower, versions, stages, live } = await follow(visitor.client, id);
    await until('the stream is ready', () => live.at(-1) === true);
    await work(id);
    const last = await follower.finished;
    assert.equal(last?.stage, 'complete');
    assert.equal(last.title, 'Test mashup');
    assertRising(versions);
    assert.equal(stages.at(-1), 'complete');
    assert.ok(stages.length > 3, stages.join(' '));
    assert.equal(visitor.client.getChannels().length, 0, 'the channel is left');
  });

  test('is live only after the stream is ready, not when it is subscribed', async (t) => {
    const visitor = await surface.visitor();
    const id = await submit(t, visitor);
    const subscribed: string[] = [];
    const original = visitor.client.channel.bind(visitor.client);
    visitor.client.channel = (...parameters) => {
      const channel = original(...parameters);
      channel.on('system', {}, () => subscribed.push('system'));
      const subscribe = channel.subscribe.bind(channel);
      channel.subscribe = (callback) =>
        subscribe((status, error) => {
          subscribed.push(status);
          callback?.(status, error);
        });
      return channel;
    };
    const follower = followJob(visitor.client, id, { onLive: () => subscribed.push('live') });
    await until('it is live', () => subscribed.includes('live'));
    assert.deepEqual(subscribed, ['SUBSCRIBED', 'system', 'live']);
    follower.stop();
  });

  test('iterates over the same states, and a break leaves the channel', async (t) => {
    const visitor = await surface.visitor();
    const id = await submit(t, visitor);
    const { follower, live } = await follow(visitor.client, id);
    await until('the stream is ready', () => live.at(-1) === true);
    const running = work(id);
    const versions: number[] = [];
    for await (const job of follower) {
      versions.push(job.version);
      if (job.stage === 'planning') break;
    }
    await running;
    assert.ok(versions.length > 1);
    assertRising(versions);
    await until('the channel is gone', () => visitor.client.getChannels().length === 0);
  });

  test('ignores a change that is older than the known state', async (t) => {
    const visitor = await surface.visitor();
    const id = await submit(t, visitor);
    const { follower, versions, live } = await follow(visitor.client, id);
    await until('the stream is ready', () => live.at(-1) === true && versions.length > 0);
    const before = [...versions];
    const { version } = await machine.job(id);
    // Only a superuser with disabled triggers can write an older version. A late delivery looks the same.
    const { default: postgres } = await import('postgres');
    const sql = postgres(machine.superuserUrl, { max: 1, onnotice: () => {} });
    const write = (to: number): Promise<unknown> =>
      sql.begin(async (tx) => {
        await tx`set local session_replication_role = replica`;
        await tx`update public.mashup_jobs set version = ${to} where id = ${id}`;
      });
    await write(version - 1);
    await write(version);
    await write(version + 10);
    await sql.end();
    await until('the newer version is received', () => follower.current?.version === version + 10);
    assert.deepEqual(versions, [...before, version + 10]);
  });

  test('shows the older state after the database was restored under an open page, and follows it from there', async (t) => {
    const visitor = await surface.visitor();
    const id = await submit(t, visitor);
    const { follower, versions, stages, live } = await follow(visitor.client, id, { safetyReadMs: 200 });
    await until('the stream is ready', () => live.at(-1) === true && versions.length > 0);
    const { default: postgres } = await import('postgres');
    const sql = postgres(machine.superuserUrl, { max: 1, onnotice: () => {} });
    t.after(() => sql.end());
    const restore = (version: number, step: string): Promise<unknown> =>
      sql.begin(async (tx) => {
        await tx`set local session_replication_role = replica`;
        await tx`update public.mashup_jobs set version = ${version}, current_step = ${step} where id = ${id}`;
      });
    const { version } = await machine.job(id);
    await restore(version + 100, 'before the restore');
    await until('the newest state is known', () => follower.current?.version === version + 100);
    await restore(version, 'after the restore');
    await until('the restored state is shown', () => follower.current?.version === version);
    assert.equal(follower.current?.currentStep, 'after the restore');
    await work(id);
    assert.equal((await follower.finished)?.stage, 'complete');
    assert.equal(stages.at(-1), 'complete');
    assert.ok((follower.current?.version ?? 0) < version + 100);
  });

  test('misses no state when the gateway restarts during a job', async (t) => {
    const visitor = await surface.visitor();
    const id = await submit(t, visitor);
    const { follower, versions, stages, live } = await follow(visitor.client, id);
    await until('the stream is ready', () => live.at(-1) === true);
    await surface.stopGateway();
    await until('the loss is noticed', () => live.at(-1) === false);
    await machine
      .run(worker, (task) => task.kind === 'render')
      .then(async (task) => {
        assert.ok(task);
        await surface.startGateway();
        await until('it is live again', () => live.at(-1) === true);
        await until('the changes during the outage are known', () => follower.current?.stage === 'rendering');
        await machine.finish(task);
      });
    const last = await follower.finished;
    assert.equal(last?.stage, 'complete');
    assertRising(versions);
    assert.ok(stages.includes('rendering'));
  });

  test('the command line says that the connection is lost, and that it is back', async (t) => {
    const visitor = await surface.visitor();
    const id = await submit(t, visitor);
    const seen: string[] = [];
    const ended = followToEnd(
      visitor.client,
      id,
      {
        onChange: ({ stage }) => seen.push(stage),
        onConnection: (isLost) => seen.push(isLost ? 'lost' : 'back'),
        lossShownMs: 10,
      },
      new AbortController().signal,
    );
    await until('the job is read', () => seen.length > 0);
    await surface.stopGateway();
    await until('the loss is shown', () => seen.includes('lost'));
    await surface.startGateway();
    await until('it is back', () => seen.at(-1) === 'back');
    await work(id);
    assert.equal((await ended).stage, 'complete');
    assert.deepEqual(seen.filter((one) => one === 'lost' || one === 'back').slice(0, 2), ['lost', 'back']);
  });

  test('is live after an outage only when it has the row, and repeats failed reads without those of supabase-js', async (t) => {
    const visitor = await surface.visitor();
    const id = await submit(t, visitor);
    const token = (await visitor.client.auth.getSession()).data.session?.access_token ?? '';
    let failing = 0;
    let isOutage = false;
    const retried: string[] = [];
    const client = createClient(surface.url, surface.keys.publishableKey, {
      accessToken: () => Promise.resolve(token),
      global: {
        fetch: (input, init) => {
          const retry = new Headers(init?.headers).get('x-retry-count');
          if (retry !== null) retried.push(retry);
          if (!isOutage) return fetch(input, init);
          failing += 1;
          return Promise.resolve(new Response('{}', { status: 503 }));
        },
      },
    });
    t.after(() => client.removeAllChannels());
    const states: string[] = [];
    const follower = followJob(client, id, {
      safetyReadMs: 600_000,
      onLive: (isLive) => states.push(`${isLive ? 'live' : 'lost'} ${follower.current?.stage}`),
    });
    t.after(() => follower.stop());
    await until('it is live', () => states.length > 0);
    isOutage = true;
    await surface.stopGateway();
    await until('the loss is noticed', () => states.at(-1)?.startsWith('lost') === true);
    const task = await machine.run(worker, ({ kind }) => kind === 'render');
    assert.ok(task);
    await surface.startGateway();
    // The loss and each attempt to join cause one read; more of them are repetitions.
    failing = 0;
    await until('the channel has joined again', () =>
      client.getChannels().some((channel) => channel.state === REALTIME_CHANNEL_STATES.joined),
    );
    await until('reads are repeated', () => failing > 2);
    assert.match(states.at(-1) ?? '', /^lost/, 'not live without the row');
    isOutage = false;
    await until('it is live again', () => states.at(-1)?.startsWith('live') === true);
    assert.equal(states.at(-1), 'live rendering');
    assert.deepEqual(retried, []);
    await machine.finish(task);
    assert.equal((await follower.finished)?.stage, 'complete');
  });

  test('joins again after the server has closed the channel, as it does with an expired token', async (t) => {
    const visitor = await surface.visitor();
    const id = await submit(t, visitor);
    const { follower, live } = await follow(visitor.client, id);
    await until('the stream is ready', () => live.at(-1) === true);
    // The effect of `phx_close` in supabase-js: CLOSED, channel removed, no rejoin.
    const [channel] = visitor.client.getChannels();
    assert.ok(channel);
    await visitor.client.removeChannel(channel);
    await until('it is live again', () => live.join() === 'true,false,true');
    await work(id);
    assert.equal((await follower.finished)?.stage, 'complete');
  });

  test('with keepOpen shows a replay, which goes back to an earlier stage', async (t) => {
    const visitor = await surface.visitor();
    const id = await submit(t, visitor);
    await work(id);
    const { follower, stages, live } = await follow(visitor.client, id, { keepOpen: true });
    await until('the stream is ready', () => live.at(-1) === true);
    await replayMashup(visitor.client, id, 'planning');
    await until('it is back at planning', () => stages.includes('planning'));
    await work(id);
    await until('it is complete again', () => stages.filter((stage) => stage === 'complete').length === 2);
    follower.stop();
    assert.equal((await follower.finished)?.epoch, 2);
  });

  test('a page that restores its session while it starts to follow receives the stream as its user', async (t) => {
    const visitor = await surface.visitor();
    const id = await submit(t, visitor);
    const { data } = await visitor.client.auth.getSession();
    const kept = JSON.stringify(data.session);
    let reads = 0;
    const page = createClient(surface.url, surface.keys.anonKey, {
      auth: {
        autoRefreshToken: false,
        persistSession: true,
        storageKey: 'page',
        // The storage is slower than the socket.
        storage: {
          getItem: async (key: string) => {
            await new Promise((resolve) => setTimeout(resolve, SLOW_STORAGE_MS));
            return key === 'page' ? kept : null;
          },
          setItem: () => {},
          removeItem: () => {},
        },
      },
      global: {
        fetch: (input, init) => {
          reads += 1;
          return fetch(input, init);
        },
      },
    });
    t.after(() => page.removeAllChannels());
    const { follower, live } = await follow(page, id);
    await until('the stream is ready', () => live.at(-1) === true);
    await until('the row was read at once, and again with the stream', () => reads === 2);
    await work(id);
    assert.equal((await follower.finished)?.stage, 'complete');
    assert.equal(reads, 2, 'received by the stream, not by a read');
    assert.deepEqual(live, [true], 'joined once, and not as another user before');
  });

  test('a job that is deleted ends it with job_not_found', async (t) => {
    const visitor = await surface.visitor();
    const id = await submit(t, visitor);
    const { follower, live } = await follow(visitor.client, id);
    await until('the stream is ready', () => live.at(-1) === true);
    await machine.sql`delete from public.mashup_jobs where id = ${id}`;
    await assert.rejects(follower.finished, { code: 'job_not_found' });
  });

  test('a periodic read finds changes that Realtime did not deliver', async (t) => {
    const visitor = await surface.visitor();
    const id = await submit(t, visitor);
    // The channels of this client receive nothing, so that only reads are left.
    const offline = createClient('http://127.0.0.1:9', 'none');
    t.after(() => offline.realtime.disconnect());
    visitor.client.channel = () => offline.channel('offline');
    const { follower } = await follow(visitor.client, id, { safetyReadMs: 50 });
    await until('the first state is known', () => follower.current !== undefined);
    await work(id);
    assert.equal((await follower.finished)?.stage, 'complete');
  });

  test("a job that is not the user's, and a text that is no id, end with job_not_found", async (t) => {
    const [owner, other] = [await surface.visitor(), await surface.visitor()];
    const id = await submit(t, owner);
    for (const unknown of [id, randomUUID(), 'no-id']) {
      const follower = followJob(other.client, unknown);
      await assert.rejects(
        follower.finished,
        (error) => error instanceof MashupClientError && error.code === 'job_not_found' && error.hint !== '',
      );
      await assert.rejects(async () => {
        for await (const job of follower) assert.fail(`received ${(job as MashupJob).stage}`);
      }, MashupClientError);
    }
  });

  test('an abort ends it with the last known state, without an error', async (t) => {
    const visitor = await surface.visitor();
    const id = await submit(t, visitor);
    const abort = new AbortController();
    const { follower, versions } = await follow(visitor.client, id, { signal: abort.signal });
    await until('the first state is known', () => versions.length > 0);
    abort.abort();
    assert.equal((await follower.finished)?.id, id);
    const stopped = followJob(visitor.client, id, { signal: AbortSignal.abort() });
    assert.equal(await stopped.finished, undefined);
  });
});

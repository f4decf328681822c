/** A job watched through the client while what carries its changes breaks: nothing missed at the end, nothing out of order. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import postgres from 'postgres';
import { until, useSurface } from '../functions/functions-fixture.ts';
import { assertWhole, isLive, submit, watch, workOn } from './followed-job.ts';

const surface = await useSurface({ after }, { functions: false });
const { machine } = surface;

const superuser = postgres(machine.superuserUrl, { max: 1, onnotice: () => {} });
after(() => superuser.end());

/** Ends connections to the database as a restart or a failing network does; answers how many. */
async function cut(which: 'replication' | 'all of the gateway'): Promise<number> {
  const ended = await superuser`
    select pg_terminate_backend(pid) from pg_stat_activity a
    where datname = current_database() and pid <> pg_backend_pid()
      and (application_name = 'supabase-local-realtime'
        or (${which} = 'all of the gateway' and usename = (select usename from pg_stat_activity where pid = pg_backend_pid())))`;
  return ended.length;
}

describe('a job that is watched', { timeout: 40_000 }, () => {
  it('is shown whole when the replication connection is cut after every task, by the stream alone', async (t) => {
    const visitor = await surface.visitor();
    const worker = await machine.worker();
    const id = await submit(surface, t, visitor);
    const watched = watch(t, visitor, id);
    await until('the stream is ready', () => isLive(watched));
    const snapshots = watched.live.length;
    for (;;) {
      const task = await machine.claimNext(worker, id);
      if (task === undefined) break;
      await cut('replication');
      await machine.finish(task);
    }
    await assertWhole(surface, watched, id);
    assert.equal(watched.live.length, snapshots, 'the client noticed nothing');
    for (const stage of ['analyzing', 'scoring', 'planning', 'rendering', 'complete'])
      assert.ok(watched.stages.includes(stage), `${stage} of ${watched.stages.join()}`);
  });

  it('is shown whole when all connections of the gateway are cut in the middle, as a restart of Postgres cuts them', async (t) => {
    const visitor = await surface.visitor();
    const worker = await machine.worker();
    const id = await submit(surface, t, visitor);
    const watched = watch(t, visitor, id);
    await until('the stream is ready', () => isLive(watched));
    await workOn(surface, worker, id, 2);
    assert.ok((await cut('all of the gateway')) > 1);
    await workOn(surface, worker, id, 20);
    await assertWhole(surface, watched, id);
  });

  it('is shown whole when the gateway restarts again and again while it runs', async (t) => {
    const visitor = await surface.visitor();
    const worker = await machine.worker();
    const id = await submit(surface, t, visitor);
    const watched = watch(t, visitor, id);
    await until('the stream is ready', () => isLive(watched));
    for (let round = 0; round < 3; round++) {
      await surface.stopGateway();
      await workOn(surface, worker, id, 1);
      await surface.startGateway();
      await workOn(surface, worker, id, 1);
    }
    await workOn(surface, worker, id, 20);
    await until('the client has it', () => watched.follower.current?.stage === 'complete');
    await assertWhole(surface, watched, id);
  });

  it('is read again when the client wakes: the page is shown, the network is back', async (t) => {
    const visitor = await surface.visitor();
    const worker = await machine.worker();
    const id = await submit(surface, t, visitor);
    // A page, as far as the client looks at it.
    const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
    const before = Object.getOwnPropertyDescriptor(globalThis, 'document');
    Object.defineProperty(globalThis, 'document', { value: page, configurable: true });
    const network = new EventTarget();
    const { addEventListener, removeEventListener } = globalThis as unknown as EventTarget;
    Object.assign(globalThis, {
      addEventListener: network.addEventListener.bind(network),
      removeEventListener: network.removeEventListener.bind(network),
    });
    t.after(() => {
      if (before) Object.defineProperty(globalThis, 'document', before);
      else Reflect.deleteProperty(globalThis, 'document');
      Object.assign(globalThis, { addEventListener, removeEventListener });
    });
    const watched = watch(t, visitor, id);
    await until('the stream is ready', () => isLive(watched));
    // Asleep: the socket is there, and nothing of it is heard.
    const [channel] = visitor.client.getChannels();
    assert.ok(channel);
    (channel as unknown as { bindings: object }).bindings = {};
    page.visibilityState = 'hidden';
    await workOn(surface, worker, id, 2);
    page.dispatchEvent(new Event('visibilitychange'));
    assert.equal(watched.follower.current?.stage, 'analyzing', 'a hidden page asks for nothing');
    page.visibilityState = 'visible';
    page.dispatchEvent(new Event('visibilitychange'));
    await until(
      'waking shows what happened',
      async () => watched.follower.current?.version === (await machine.job(id)).version,
    );
    await workOn(surface, worker, id, 1);
    page.dispatchEvent(new Event('resume'));
    await until(
      'thawing shows what happened',
      async () => watched.follower.current?.version === (await machine.job(id)).version,
    );
    await workOn(surface, worker, id, 20);
    network.dispatchEvent(new Event('online'));
    await assertWhole(surface, watched, id);
  });

  it('is shown to all of its watchers in one order, and a token that is renewed underway changes nothing', async (t) => {
    const visitor = await surface.visitor();
    const worker = await machine.worker();
    const id = await submit(surface, t, visitor);
    const many = Array.from({ length: 5 }, () => watch(t, visitor, id));
    await until('all streams are ready', () => many.every(isLive));
    await workOn(surface, worker, id, 3);
    const { error } = await visitor.client.auth.refreshSession();
    assert.equal(error, null);
    await workOn(surface, worker, id, 20);
    for (const watched of many) await assertWhole(surface, watched, id);
  });
});

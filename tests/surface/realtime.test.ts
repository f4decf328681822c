/** A job is followed through the client while connections fail: nothing is missing at the end, nothing is out of order. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import postgres from 'postgres';
import { startFunctionsFixture } from '../functions/functions-fixture.ts';
import { until } from '../support/until.ts';
import { assertComplete, isLive, submit, follow, workOn } from './followed-job.ts';

const surface = await startFunctionsFixture({ after }, { functions: false });
const { machine } = surface;

const superuser = postgres(machine.superuserUrl, { max: 1, onnotice: () => {} });
after(() => superuser.end());

/** Terminates connections to the database, as a restart or a failing network does. Returns their number. */
async function terminate(which: 'replication' | 'all of the gateway'): Promise<number> {
  const ended = await superuser`
    select pg_terminate_backend(pid) from pg_stat_activity a
    where datname = current_database() and pid <> pg_backend_pid()
      and (application_name = 'supabase-local-realtime'
        or (${which} = 'all of the gateway' and usename = (select usename from pg_stat_activity where pid = pg_backend_pid())))`;
  return ended.length;
}

describe('a followed job', () => {
  it('is complete, by the stream alone, when the replication connection is lost after every task', async (t) => {
    const visitor = await surface.visitor();
    const worker = await machine.worker();
    const id = await submit(surface, t, visitor);
    const followed = follow(t, visitor, id);
    await until('the stream is ready', () => isLive(followed));
    const snapshots = followed.live.length;
    for (;;) {
      const task = await machine.claimNext(worker, id);
      if (task === undefined) break;
      await terminate('replication');
      await machine.finish(task);
    }
    await assertComplete(surface, followed, id);
    assert.equal(followed.live.length, snapshots, 'the client noticed nothing');
    for (const stage of ['analyzing', 'scoring', 'planning', 'rendering', 'complete'])
      assert.ok(followed.stages.includes(stage), `${stage} of ${followed.stages.join()}`);
  });

  it('is complete when all connections of the gateway are lost while it runs, as by a restart of Postgres', async (t) => {
    const visitor = await surface.visitor();
    const worker = await machine.worker();
    const id = await submit(surface, t, visitor);
    const followed = follow(t, visitor, id);
    await until('the stream is ready', () => isLive(followed));
    await workOn(surface, worker, id, 2);
    assert.ok((await terminate('all of the gateway')) > 1);
    await workOn(surface, worker, id, 20);
    await assertComplete(surface, followed, id);
  });

  it('is complete when the gateway restarts repeatedly while it runs', async (t) => {
    const visitor = await surface.visitor();
    const worker = await machine.worker();
    const id = await submit(surface, t, visitor);
    const followed = follow(t, visitor, id);
    await until('the stream is ready', () => isLive(followed));
    for (let round = 0; round < 3; round++) {
      await surface.stopGateway();
      await workOn(surface, worker, id, 1);
      await surface.startGateway();
      await workOn(surface, worker, id, 1);
    }
    await workOn(surface, worker, id, 20);
    await until('the client has the end', () => followed.follower.current?.stage === 'complete');
    await assertComplete(surface, followed, id);
  });

  it('is read again when the page becomes visible or the network is back', async (t) => {
    const visitor = await surface.visitor();
    const worker = await machine.worker();
    const id = await submit(surface, t, visitor);
    // The properties of a page that the client uses.
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
    const followed = follow(t, visitor, id);
    await until('the stream is ready', () => isLive(followed));
    // A suspended page: the socket exists, but nothing is received.
    const [channel] = visitor.client.getChannels();
    assert.ok(channel);
    (channel as unknown as { bindings: object }).bindings = {};
    page.visibilityState = 'hidden';
    await workOn(surface, worker, id, 2);
    page.dispatchEvent(new Event('visibilitychange'));
    assert.equal(followed.follower.current?.stage, 'analyzing', 'a hidden page reads nothing');
    page.visibilityState = 'visible';
    page.dispatchEvent(new Event('visibilitychange'));
    await until(
      'the visible page shows the current version',
      async () => followed.follower.current?.version === (await machine.job(id)).version,
    );
    await workOn(surface, worker, id, 1);
    page.dispatchEvent(new Event('resume'));
    await until(
      'the resumed page shows the current version',
      async () => followed.follower.current?.version === (await machine.job(id)).version,
    );
    await workOn(surface, worker, id, 20);
    network.dispatchEvent(new Event('online'));
    await assertComplete(surface, followed, id);
  });

  it('is shown to all followers in the same order, also when a token is renewed while it runs', async (t) => {
    const visitor = await surface.visitor();
    const worker = await machine.worker();
    const id = await submit(surface, t, visitor);
    const many = Array.from({ length: 5 }, () => follow(t, visitor, id));
    await until('all streams are ready', () => many.every(isLive));
    await workOn(surface, worker, id, 3);
    const { error } = await visitor.client.auth.refreshSession();
    assert.equal(error, null);
    await workOn(surface, worker, id, 20);
    for (const followed of many) await assertComplete(surface, followed, id);
  });
});

/** Postgres itself restarts under a job that is watched: a server of this file's own, and the gateway as a process of its own. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createClient } from '@supabase/supabase-js';
import postgres from 'postgres';
import { startPostgres } from '../../local/postgres/launcher.ts';
import type { StopMode } from '../../local/postgres/server-process.ts';
import { until, useSurface } from '../functions/functions-fixture.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { TEST_CLUSTER_ENV } from '../support/postgres.ts';
import { assertWhole, isLive, submit, watch, workOn } from './followed-job.ts';

/** What of the server is down is tried again by whoever needs it; this is how often. */
const TRIES = 50;

/** A fast stop that nothing holds up. */
const STOP_MS = 6_000;

/** Calls that are being answered when the server goes. */
const CALLS = 4;

const dataDir = await mkdtemp(join(tmpdir(), 'mashup-restart-'));
// As root the server runs as another user, who has to pass through.
await chmod(dataDir, 0o711);
let server = await startPostgres({ dataDir, port: 0, settings: { fsync: 'off' } });
process.env[TEST_CLUSTER_ENV] = server.superuserUrl;

async function restart(mode: StopMode): Promise<void> {
  const start = performance.now();
  const { pid } = server;
  await server.stop(mode);
  const taken = performance.now() - start;
  // A stop waits for whoever reads the log, and after eight seconds the launcher waits no longer.
  assert.ok(taken < STOP_MS, `the stop took ${taken} ms`);
  server = await startPostgres({ dataDir, port: server.port, settings: { fsync: 'off' } });
  assert.notEqual(server.pid, pid);
}

/** Does the work, again where the restart cut it off. */
async function insist(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === TRIES) throw error;
    }
  }
}

let gateway: GatewayProcess | undefined;
const surface = await useSurface(
  { after },
  { functions: false, gateway: async (options) => (gateway = await startGatewayProcess(options)) },
);
const { machine } = surface;
await machine.sql.unsafe(`
  create function public.linger() returns int language sql security definer set search_path = '' as 'select 1 from pg_catalog.pg_sleep(60)';
  revoke execute on function public.linger() from public;
  grant execute on function public.linger() to service_role`);
after(async () => {
  await server.stop('immediate');
  await rm(dataDir, { recursive: true, force: true });
});

function assertUnharmed(): void {
  assert.equal(gateway?.hasEnded(), false, gateway?.complaints());
  assert.doesNotMatch(gateway?.complaints() ?? '', /Cannot read properties|uncaught/i);
}

describe('a read that is asked while Postgres is away', { timeout: 60_000 }, () => {
  it('is answered 503 and asked again by the client, until it is answered', async () => {
    const statuses: number[] = [];
    const client = createClient(surface.url, surface.keys.serviceRoleKey, {
      auth: { persistSession: false, autoRefreshToken: false },
      global: {
        fetch: async (input, init) => {
          const answer = await fetch(input, init);
          statuses.push(answer.status);
          if (answer.status === 503) assert.equal(answer.headers.get('retry-after'), '1');
          return answer;
        },
      },
    });
    await server.stop('fast');
    const reading = client.from('mashup_jobs').select('id').limit(1);
    const answered = reading.then((answer) => answer);
    await until('it was refused once', () => statuses.includes(503));
    const written = await client.from('mashup_jobs').update({ progress: 1 }).eq('id', randomUUID());
    assert.deepEqual([written.status, written.error?.code], [503, 'PGRST000'], 'a write is not asked again');
    server = await startPostgres({ dataDir, port: server.port, settings: { fsync: 'off' } });
    assert.equal((await answered).status, 200);
    assertUnharmed();
  });
});

describe('a job that is watched', { timeout: 60_000 }, () => {
  for (const mode of ['fast', 'immediate'] as const) {
    it(`is shown whole when Postgres is stopped (${mode}) in the middle of it and started again`, async (t) => {
      const visitor = await surface.visitor();
      const worker = await machine.worker();
      const id = await submit(surface, t, visitor);
      const watched = watch(t, visitor, id);
      await until('the stream is ready', () => isLive(watched));
      await workOn(surface, worker, id, 2);
      await restart(mode);
      await insist(() => workOn(surface, worker, id, 1));
      await insist(() => workOn(surface, worker, id, 20));
      await assertWhole(surface, watched, id);
      for (const stage of ['analyzing', 'complete']) assert.ok(watched.stages.includes(stage), watched.stages.join());
      assertUnharmed();
    });

    it(`is shown its last change although Postgres is stopped (${mode}) right after it`, async (t) => {
      const visitor = await surface.visitor();
      const worker = await machine.worker();
      const id = await submit(surface, t, visitor);
      const watched = watch(t, visitor, id);
      await until('the stream is ready', () => isLive(watched));
      await workOn(surface, worker, id, 20);
      await restart(mode);
      await until('the end is shown', () => watched.follower.current?.stage === 'complete');
      await insist(() => assertWhole(surface, watched, id));
      assertUnharmed();
    });

    it(`is shown on while calls that Postgres cuts off (${mode}) are told so`, async (t) => {
      const visitor = await surface.visitor();
      const worker = await machine.worker();
      const id = await submit(surface, t, visitor);
      const watched = watch(t, visitor, id);
      await until('the stream is ready', () => isLive(watched));
      const service = surface.client(surface.keys.serviceRoleKey);
      const calls = Promise.all(Array.from({ length: CALLS }, () => service.rpc('linger')));
      const superuser = postgres(machine.superuserUrl, { max: 1, onnotice: () => {} });
      await until('the calls are being answered', async () => {
        const at = await superuser`select from pg_stat_activity where wait_event = 'PgSleep'`;
        return at.length === CALLS;
      });
      await superuser.end();
      await restart(mode);
      for (const { status, error } of await calls) assert.deepEqual([status, error?.code], [503, 'PGRST000']);
      await insist(() => workOn(surface, worker, id, 20));
      await assertWhole(surface, watched, id);
      assertUnharmed();
    });
  }
});

/** Postgres restarts while a job is followed. This file has its own server, and the gateway is a separate process. */
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
import { startFunctionsFixture } from '../functions/functions-fixture.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { TEST_CLUSTER_ENV } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { assertComplete, isLive, submit, follow, workOn } from './followed-job.ts';
import { startOwnTime } from '../support/own-time.ts';

/** How often work that a restart interrupted is repeated. */
const MAX_ATTEMPTS = 50;

/** A fast stop takes less, unless a client delays it. */
const MAX_STOP_MS = 6_000;

/** Calls that are running when the server stops. */
const CALLS = 4;

const dataDir = await mkdtemp(join(tmpdir(), 'mashup-restart-'));
// If this process is root, the server runs as another user, who must be able to enter the directory.
await chmod(dataDir, 0o711);
let server = await startPostgres({ dataDir, port: 0, settings: { fsync: 'off' } });
process.env[TEST_CLUSTER_ENV] = server.superuserUrl;

async function restart(mode: StopMode): Promise<void> {
  const ownTime = startOwnTime();
  const { pid } = server;
  await server.stop(mode);
  const taken = ownTime();
  // A stop waits for the readers of the WAL; after eight seconds the launcher requests an immediate stop.
  assert.ok(taken < MAX_STOP_MS, `the stop took ${taken} ms`);
  server = await startPostgres({ dataDir, port: server.port, settings: { fsync: 'off' } });
  assert.notEqual(server.pid, pid);
}

/** Repeats work that a restart interrupted. */
async function retry(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

let gateway: GatewayProcess | undefined;
const surface = await startFunctionsFixture(
  { after },
  { functions: false, gateway: async (options) => (gateway = await startGatewayProcess(options)) },
);
const { machine } = surface;
await machine.sql.unsafe(`
  create function public.sleep_long() returns int language sql security definer set search_path = '' as 'select 1 from pg_catalog.pg_sleep(60)';
  revoke execute on function public.sleep_long() from public;
  grant execute on function public.sleep_long() to service_role`);
after(async () => {
  await server.stop('immediate');
  await rm(dataDir, { recursive: true, force: true });
});

function assertGatewayRuns(): void {
  assert.equal(gateway?.hasExited(), false, gateway?.errorOutput());
  assert.doesNotMatch(gateway?.errorOutput() ?? '', /Cannot read properties|uncaught/i);
}

describe('a read while Postgres is stopped', () => {
  it('gets 503 and is repeated by the client until it succeeds', async () => {
    const statuses: number[] = [];
    const client = createClient(surface.url, surface.keys.serviceRoleKey, {
      auth: { persistSession: false, autoRefreshToken: false },
      global: {
        fetch: async (input, init) => {
          const response = await fetch(input, init);
          statuses.push(response.status);
          if (response.status === 503) assert.equal(response.headers.get('retry-after'), '1');
          return response;
        },
      },
    });
    await server.stop('fast');
    const reading = client.from('mashup_jobs').select('id').limit(1);
    const finished = reading.then((response) => response);
    await until('it has got 503 once', () => statuses.includes(503));
    const written = await client.from('mashup_jobs').update({ progress: 1 }).eq('id', randomUUID());
    assert.deepEqual([written.status, written.error?.code], [503, 'PGRST000'], 'a write is not repeated');
    server = await startPostgres({ dataDir, port: server.port, settings: { fsync: 'off' } });
    assert.equal((await finished).status, 200);
    assertGatewayRuns();
  });
});

describe('a followed job', () => {
  for (const mode of ['fast', 'immediate'] as const) {
    it(`is complete when Postgres is restarted (${mode}) while it runs`, async (t) => {
      const visitor = await surface.visitor();
      const worker = await machine.worker();
      const id = await submit(surface, t, visitor);
      const followed = follow(t, visitor, id);
      await until('the stream is ready', () => isLive(followed));
      await workOn(surface, worker, id, 2);
      await restart(mode);
      await retry(() => workOn(surface, worker, id, 1));
      await retry(() => workOn(surface, worker, id, 20));
      await assertComplete(surface, followed, id);
      for (const stage of ['analyzing', 'complete']) assert.ok(followed.stages.includes(stage), followed.stages.join());
      assertGatewayRuns();
    });

    it(`shows its last change when Postgres is stopped (${mode}) right after it`, async (t) => {
      const visitor = await surface.visitor();
      const worker = await machine.worker();
      const id = await submit(surface, t, visitor);
      const followed = follow(t, visitor, id);
      await until('the stream is ready', () => isLive(followed));
      await workOn(surface, worker, id, 20);
      await restart(mode);
      await until('the end is received', () => followed.follower.current?.stage === 'complete');
      await retry(() => assertComplete(surface, followed, id));
      assertGatewayRuns();
    });

    it(`continues while interrupted calls (${mode}) get 503`, async (t) => {
      const visitor = await surface.visitor();
      const worker = await machine.worker();
      const id = await submit(surface, t, visitor);
      const followed = follow(t, visitor, id);
      await until('the stream is ready', () => isLive(followed));
      const service = surface.client(surface.keys.serviceRoleKey);
      const calls = Promise.all(Array.from({ length: CALLS }, () => service.rpc('sleep_long')));
      const superuser = postgres(machine.superuserUrl, { max: 1, onnotice: () => {} });
      await until('the calls are running', async () => {
        const at = await superuser`select from pg_stat_activity where wait_event = 'PgSleep'`;
        return at.length === CALLS;
      });
      await superuser.end();
      await restart(mode);
      for (const { status, error } of await calls) assert.deepEqual([status, error?.code], [503, 'PGRST000']);
      await retry(() => workOn(surface, worker, id, 20));
      await assertComplete(surface, followed, id);
      assertGatewayRuns();
    });
  }
});

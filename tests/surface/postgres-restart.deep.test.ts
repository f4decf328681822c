/** Postgres itself restarts under a job that is watched: a server of this file's own, by the launcher. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { startPostgres } from '../../local/postgres/launcher.ts';
import type { StopMode } from '../../local/postgres/launcher.ts';
import { until, useSurface } from '../functions/world.ts';
import { TEST_CLUSTER_ENV } from '../support/postgres.ts';
import { assertWhole, isLive, submit, watch, workOn } from './watch.ts';

/** What of the server is down is tried again by whoever needs it; this is how often. */
const TRIES = 50;

/** A fast stop that nothing holds up. */
const STOP_MS = 6_000;

const dataDir = await mkdtemp(join(tmpdir(), 'mashup-restart-'));
// As root the server runs as another user, who has to pass through.
await chmod(dataDir, 0o711);
let server = await startPostgres({ dataDir, port: 0, settings: { fsync: 'off' } });
process.env[TEST_CLUSTER_ENV] = server.superuserUrl;

async function restart(mode: StopMode): Promise<void> {
  const start = performance.now();
  await server.stop(mode);
  const taken = performance.now() - start;
  // A stop waits for whoever reads the log, and after eight seconds the launcher waits no longer.
  assert.ok(taken < STOP_MS, `the stop took ${taken} ms`);
  server = await startPostgres({ dataDir, port: server.port, settings: { fsync: 'off' } });
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

const surface = await useSurface({ after }, { functions: false });
const { machine } = surface;
after(async () => {
  await server.stop('immediate');
  await rm(dataDir, { recursive: true, force: true });
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
      const { pid } = server;
      await restart(mode);
      assert.notEqual(server.pid, pid);
      await insist(() => workOn(surface, worker, id, 1));
      await insist(() => workOn(surface, worker, id, 20));
      await assertWhole(surface, watched, id);
      for (const stage of ['analyzing', 'complete']) assert.ok(watched.stages.includes(stage), watched.stages.join());
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
    });
  }
});

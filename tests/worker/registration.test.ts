/** The registration connection of a worker that stops. */
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { openDatabase } from '../../worker/database/database.ts';
import { startSocketWatchdog } from '../../worker/database/socket-watchdog.ts';

import { PROTOCOL_VERSION } from '../../schema/constants.ts';
import { registerWorker } from '../../worker/registration.ts';
import { until } from '../support/until.ts';
import { useWorkerFixture } from './worker-fixture.ts';

const { database, sql } = await useWorkerFixture({ after });

interface Backend {
  pid: number;
  wait_event_type: string | null;
}

const registrations = (): Promise<Backend[]> => sql<Backend[]>`
  select pid, wait_event_type from pg_stat_activity where application_name = 'mashup-worker-registration' and datname = current_database()`;

test('a registration that stops while it reconnects closes the new connection too', async (t) => {
  const db = openDatabase(database.workerUrl, 1, startSocketWatchdog(25_000));
  t.after(() => db.destroy());
  const registration = await registerWorker(db, {
    databaseUrl: database.workerUrl,
    workerId: 'b5a7f3f6-9c3b-4f0e-8a4b-0f7d3a2f6c11',
    version: '0.0.0',
    protocol: PROTOCOL_VERSION,
    concurrency: 1,
    services: {},
    log: () => {},
    onSignal: () => {},
    onAdmit: () => {},
    onOutageEnd: () => {},
    onIncompatible: () => {},
  });
  const [first] = await registrations();
  assert.ok(first);
  await sql.begin(async (transaction) => {
    await transaction`lock table mashup.workers in access exclusive mode`;
    await transaction`select pg_terminate_backend(${first.pid})`;
    await until('the new connection waits for the lock', async () =>
      (await registrations()).some(({ pid, wait_event_type }) => pid !== first.pid && wait_event_type === 'Lock'),
    );
    await registration.stop();
  });
  await until('no connection is left', async () => (await registrations()).length === 0);
});

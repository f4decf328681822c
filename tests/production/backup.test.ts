/** A copy of the database that was taken while jobs ran. Dumps and point-in-time restores: backup.deep.test.ts. */
import { after, test } from 'node:test';
import postgres from 'postgres';
import { useWorkerFixture } from '../worker/worker-fixture.ts';
import { assertJobsContinue, changeUrl, prepareJobs } from './restored-jobs.ts';

test('a database that is restored as it was while jobs ran continues them', async () => {
  const fixture = await useWorkerFixture({ after });
  const { name, superuserUrl, url, workerUrl } = fixture.database;
  const jobs = await prepareJobs(fixture);
  jobs.worker.process.kill('SIGKILL');
  await jobs.worker.exited;

  const restored = `${name}_restored`;
  const server = postgres(changeUrl(superuserUrl, { database: 'postgres' }), { max: 1, onnotice: () => {} });
  after(async () => {
    await server`drop database if exists ${server(restored)} with (force)`;
    await server.end({ timeout: 1 });
  });
  // A template must have no connections.
  await server`alter database ${server(name)} allow_connections false`;
  await server`select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = ${name}`;
  await server`create database ${server(restored)} template ${server(name)} owner postgres`;
  await server`alter database ${server(name)} allow_connections true`;

  const database = restored;
  await assertJobsContinue(fixture, jobs, {
    workerUrl: changeUrl(workerUrl, { database }),
    url: changeUrl(url, { database }),
  });
});

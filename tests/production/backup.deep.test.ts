/** Backups of a running database: a dump with the tools of Postgres, and a base backup with the log for a point in time. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, chown, cp, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { startPostgres } from '../../local/postgres/launcher.ts';
import type { RunningPostgres } from '../../local/postgres/launcher.ts';
import { TEST_CLUSTER_ENV } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { useWorkerFixture } from '../worker/worker-fixture.ts';
import { assertJobsContinue, changeUrl, prepareJobs } from './restored-jobs.ts';
import { startDebianPostgres } from './debian-postgres.ts';
import { missingPrograms } from './tools.ts';

const run = promisify(execFile);
const { [TEST_CLUSTER_ENV]: sharedCluster } = process.env;

/** Puts the databases of this file's next fixture on a server of its own. */
function useServer(superuserUrl: string | undefined): void {
  if (superuserUrl === undefined) delete process.env[TEST_CLUSTER_ENV];
  else process.env[TEST_CLUSTER_ENV] = superuserUrl;
}

const missing = await missingPrograms({ pg_dump: 'postgresql-client', pg_restore: 'postgresql-client' });
const server = missing === undefined ? await startDebianPostgres({ after }) : undefined;
const skip = missing ?? (server === undefined ? 'the server of the same version as pg_dump is not installed' : false);

test('a dump that pg_dump takes while jobs run is restored, and the jobs continue', { skip }, async () => {
  useServer(server?.superuserUrl);
  const fixture = await useWorkerFixture({ after });
  const { name, superuserUrl, url, workerUrl } = fixture.database;
  const jobs = await prepareJobs(fixture);
  const folder = await mkdtemp(join(tmpdir(), 'mashup-dump-'));
  after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'mashup.dump');
  await run('pg_dump', ['--format=custom', `--file=${file}`, `--dbname=${superuserUrl}`]);
  // The database is lost.
  jobs.worker.process.kill('SIGKILL');
  await jobs.worker.exited;

  const database = `${name}_restored`;
  const admin = postgres(changeUrl(superuserUrl, { database: 'postgres' }), { max: 1, onnotice: () => {} });
  await admin`create database ${admin(database)} owner postgres`;
  await admin.end();
  await run('pg_restore', ['--exit-on-error', `--dbname=${changeUrl(superuserUrl, { database })}`, file]);
  await assertJobsContinue(fixture, jobs, {
    workerUrl: changeUrl(workerUrl, { database }),
    url: changeUrl(url, { database }),
  });
  useServer(sharedCluster);
});

/** Starts the embedded Postgres with an archive of its log. */
async function startArchiving(home: string, archive: string): Promise<RunningPostgres> {
  const started = await startPostgres({
    dataDir: home,
    port: 0,
    settings: { archive_mode: 'on', archive_command: `cp %p ${archive}/%f`, max_wal_senders: '20' },
  });
  after(() => started.stop('immediate'));
  return started;
}

/** Copies the files of a running server, as the low-level interface for backups describes. */
async function takeBaseBackup(superuserUrl: string, home: string, copy: string): Promise<void> {
  const sql = postgres(superuserUrl, { max: 1, onnotice: () => {} });
  await sql`select pg_backup_start('test', true)`;
  await mkdir(copy, { mode: 0o711 });
  await cp(join(home, 'superuser-password'), join(copy, 'superuser-password'));
  // Files may vanish while they are copied; the log has what they had.
  await run('cp', ['--archive', join(home, 'data'), join(copy, 'data')]).catch(() => {});
  const [label] = await sql<{ labelfile: string }[]>`select labelfile from pg_backup_stop(false)`;
  await writeFile(join(copy, 'data/backup_label'), label?.labelfile ?? '');
  await sql.end();
  for (const path of ['postmaster.pid', 'postmaster.opts', 'pg_wal', 'pg_replslot'])
    await rm(join(copy, 'data', path), { recursive: true, force: true });
}

/** Starts a server on a base backup, which plays the log until a time. */
async function restore(copy: string, archive: string, time: string): Promise<RunningPostgres> {
  const data = join(copy, 'data');
  const { uid, gid } = await stat(data);
  for (const path of ['pg_wal', 'pg_replslot']) await mkdir(join(data, path), { mode: 0o700 });
  await writeFile(join(data, 'recovery.signal'), '');
  for (const path of ['pg_wal', 'pg_replslot', 'recovery.signal', 'backup_label'])
    await chown(join(data, path), uid, gid);
  const restored = await startPostgres({
    dataDir: copy,
    port: 0,
    settings: {
      restore_command: `cp ${archive}/%f %p`,
      recovery_target_time: time,
      recovery_target_action: 'promote',
    },
  });
  after(() => restored.stop('immediate'));
  return restored;
}

test('a base backup and the archived log restore a point in time, and the jobs of that time continue', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mashup-pitr-'));
  await chmod(folder, 0o711);
  after(() => rm(folder, { recursive: true, force: true }));
  const [home, copy, archive] = ['server', 'restored', 'archive'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await mkdir(archive);
  await chmod(archive, 0o777);
  const original = await startArchiving(home, archive);
  useServer(original.superuserUrl);
  const fixture = await useWorkerFixture({ after });
  const { name, superuserUrl, url, workerUrl } = fixture.database;
  await takeBaseBackup(changeUrl(superuserUrl, { database: 'postgres' }), home, copy);
  // All jobs are submitted after the base backup: only the log has them.
  const jobs = await prepareJobs(fixture);
  const [moment] = await fixture.sql<{ now: string }[]>`select clock_timestamp()::text as now`;
  jobs.worker.process.kill('SIGKILL');
  await jobs.worker.exited;
  await until('the clock has advanced', async () => {
    const [row] = await fixture.sql<{ later: boolean }[]>`
      select clock_timestamp() > ${moment?.now ?? ''}::timestamptz + interval '10 milliseconds' as later`;
    return row?.later === true;
  });
  // The mistake that the restore undoes.
  await fixture.sql`delete from mashup_jobs`;
  const admin = postgres(superuserUrl, { max: 1 });
  const [wal] = await admin<{ name: string }[]>`select pg_walfile_name(pg_switch_wal()) as name`;
  await until('the log is archived', () =>
    stat(join(archive, wal?.name ?? '')).then(
      () => true,
      () => false,
    ),
  );
  await admin.end();

  const restored = await restore(copy, archive, moment?.now ?? '');
  const check = postgres(changeUrl(restored.superuserUrl, { database: name }), { max: 1 });
  await until('the restored server takes writes', async () => {
    const [row] = await check<{ recovering: boolean }[]>`select pg_is_in_recovery() as recovering`;
    return row?.recovering === false;
  });
  const [live] = await check<{ jobs: number }[]>`select count(*)::int as jobs from mashup_jobs`;
  assert.equal(live?.jobs, 3);
  await check.end();
  const { port } = restored;
  await assertJobsContinue(fixture, jobs, { workerUrl: changeUrl(workerUrl, { port }), url: changeUrl(url, { port }) });
  useServer(sharedCluster);
});

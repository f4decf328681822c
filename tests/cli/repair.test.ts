/** `mashup doctor --repair`: rows and files are compared, and mended with --apply. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding } from '../../cli/doctor/finding.ts';
import { repairFiles } from '../../cli/doctor/repair.ts';
import { checkStorageLimits } from '../../cli/doctor/storage-limits.ts';
import { wavFile } from '../worker/wav-file.ts';
import { useWorkerFixture } from '../worker/worker-fixture.ts';
import { mashup } from './cli.ts';

const fixture = await useWorkerFixture({ after });
const { sql } = fixture;
const access = { url: fixture.supabaseUrl, serviceRoleKey: fixture.serviceRoleKey };

test('rows whose files are missing and files without rows are counted, and mended only with --apply', async () => {
  const songs = [await fixture.upload('a.wav', wavFile(120, 1)), await fixture.upload('b.wav', wavFile(120, 2))];
  // The outbox is emptied below, not by the worker.
  const worker = await fixture.startWorker({ limits: { deletionIntervalMs: 600_000 } });
  const lost = await fixture.untilEnded(await fixture.submit(songs));
  const kept = await fixture.untilEnded(await fixture.submit(songs));
  await worker.stop();
  const stems = await sql<{ path: string }[]>`
    select s.paths ->> 'vocals' as path from mashup.stems s order by s.id limit 1`;
  await fixture.bucket.remove([lost.result_path ?? '', stems[0]?.path ?? '']);
  const orphans = ['generated/nobody/1-claim.wav', 'stems/nobody/song/claim/vocals.wav'];
  for (const path of orphans) await fixture.bucket.upload(path, wavFile(1, 1), { contentType: 'audio/wav' });
  assert.equal((await repairFiles(sql, access, false))[2]?.found, 0, 'a task may be writing what is new');
  await sql`update mashup.settings set value = '1' where name = 'discard_after_sec'`;
  await sleep(1_100);
  const expected = [
    { what: 'stems_without_files', found: 1 },
    { what: 'results_without_files', found: 1 },
    { what: 'files_without_rows', found: 2 },
  ];

  assert.deepEqual(await repairFiles(sql, access, false), expected);
  assert.equal((await fixture.job(lost.id)).result_path, lost.result_path, 'nothing is changed');
  const dry = await mashup(['doctor', '--repair'], {
    DATABASE_URL: fixture.database.url,
    SUPABASE_URL: access.url,
    SUPABASE_SERVICE_ROLE_KEY: access.serviceRoleKey,
  });
  assert.match(dry.stdout, /1 +cached stems whose files are missing[^]*Nothing was changed/, dry.stderr);

  assert.deepEqual(await repairFiles(sql, access, true), expected);
  const [row] = await sql`select expired_at is not null as expired, result_path from mashup_jobs where id = ${lost.id}`;
  assert.deepEqual({ ...row }, { expired: true, result_path: null });
  assert.equal((await fixture.job(kept.id)).result_path, kept.result_path);
  const [left] = await sql`select count(*)::int as n from mashup.stems`;
  assert.equal(left?.['n'], 1);
  const due = await sql<
    { path: string }[]
  >`select path from mashup.storage_deletions where path like '%nobody%' order by path`;
  assert.deepEqual(
    due.map(({ path }) => path),
    orphans,
  );
  // What is in the outbox is not counted again.
  assert.deepEqual(
    (await repairFiles(sql, access, true)).map(({ found }) => found),
    [0, 0, 0],
  );
});

test('the limits of Storage are read and compared with the settings', async () => {
  const check = (): Promise<Finding> => checkStorageLimits(fixture.database.url, fixture.supabaseUrl);
  const fine = await check();
  assert.ok(fine.ok, fine.message);
  assert.match(fine.message, /52\.4 MB are needed \(\w+_max_bytes\): global limit 52\.4 MB, bucket mashups 268\.4 MB/);
  await sql`update mashup.settings set value = '60000000' where name = 'upload_max_bytes'`;
  const above = await check();
  assert.match(above.message, /files of up to 52\.4 MB are accepted .* and upload_max_bytes is 60\.0 MB/);
  assert.match(above.hint ?? '', /global file size limit.*mashup settings set upload_max_bytes 52428800/);
});

/** Stems whose files are missing, as after a restore of the database without files: they are made again. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { wavFile } from './wav-file.ts';
import { useWorkerFixture } from './worker-fixture.ts';

const fixture = await useWorkerFixture({ after });
const { sql, services } = fixture;
const songs = [await fixture.upload('a.wav', wavFile(120, 1)), await fixture.upload('b.wav', wavFile(120, 2))];
const worker = await fixture.startWorker();
after(() => worker.stop());

async function stemPaths(): Promise<string[]> {
  const rows = await sql<{ path: string }[]>`select f as path from mashup.stems s, mashup.stem_files(s.paths) f`;
  return rows.map(({ path }) => path);
}

test('a replay makes stems again whose files are missing, and completes', async () => {
  const id = await fixture.submit(songs);
  assert.equal((await fixture.untilEnded(id)).stage, 'complete');
  await fixture.bucket.remove(await stemPaths());
  const calls = services.callsOf('separation').length;
  await sql`update mashup_jobs set stage = 'rendering' where id = ${id}`;
  const job = await fixture.untilEnded(id);
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.equal(services.callsOf('separation').length, calls + 2);
  const [event] = await sql`
    select detail ->> 'code' as code from mashup_job_events where job_id = ${id} and type = 'warning'`;
  assert.equal(event?.['code'], 'stems_gone');
  const [task] = await sql`select max(failures)::int as failures from mashup.tasks where job_id = ${id}`;
  assert.equal(task?.['failures'], 0);
});

test('a new mashup completes although the rows of Storage show files that are not there', async () => {
  const paths = await stemPaths();
  const objects = await sql`select * from storage.objects where name = any (${paths})`;
  await fixture.bucket.remove(paths);
  await sql`insert into storage.objects ${sql(objects, 'id', 'bucket_id', 'name', 'owner', 'metadata', 'version')}`;
  // The renderer is the first to read the files.
  const missing = {
    error: 'The drums stem could not be downloaded',
    code: 'stem_unavailable',
    hint: 'Separate again.',
  };
  services.next('processing', { stream: `data: ${JSON.stringify(missing)}\n\n` });
  const job = await fixture.untilEnded(await fixture.submit(songs));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  const now = await stemPaths();
  assert.ok(now.every((path) => !paths.includes(path)));
});

test('stems that are missing again in the same run fail the job with an error that names the cause', async () => {
  const id = await fixture.submit(songs);
  assert.equal((await fixture.untilEnded(id)).stage, 'complete');
  // The cache points to files that nobody has written.
  await sql`create function public.lose_stems() returns trigger language plpgsql as $$
    begin
      new.paths := replace(new.paths::text, '.wav', '.gone')::jsonb;
      return new;
    end $$`;
  await sql`create trigger lose_stems before insert or update on mashup.stems for each row execute function public.lose_stems()`;
  await fixture.bucket.remove(await stemPaths());
  await sql`update mashup_jobs set stage = 'rendering' where id = ${id}`;
  const job = await fixture.untilEnded(id);
  await sql`drop function public.lose_stems cascade`;
  assert.deepEqual([job.stage, job.error_code], ['failed', 'stems_gone']);
  assert.match(job.error_message ?? '', /also after they were made again/);
});

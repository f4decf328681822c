/** Stems in parts: a service that writes them, the cache, and parts that are missing. Mashups that are too large as WAV. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { once } from 'node:events';
import { encodeFlac } from '../../audio/encode/encode-flac.ts';
import { SeparateRequest, STEMS } from '../../schema.ts';
import type { StemPath } from '../../schema.ts';
import { formatWarning } from '../../worker/tasks/output-file.ts';
import { wavFile } from './wav-file.ts';
import { useWorkerFixture } from './worker-fixture.ts';

const fixture = await useWorkerFixture({ after });
const { services, sql } = fixture;
const songs = [await fixture.upload('a.wav', wavFile(120, 1)), await fixture.upload('b.wav', wavFile(120, 2))];
const requests: SeparateRequest[] = [];
const part = await encodeFlac([new Float32Array(4_410).fill(0.1)], 44_100, {});

/** A separation service that writes the drums to two parts and each other stem to one file. */
const separation = createServer((request, response) => {
  // It names no models.
  if (request.method === 'GET') return void response.writeHead(404).end();
  void (async () => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
    const body = SeparateRequest.parse(JSON.parse(text));
    requests.push(body);
    const stems: Record<string, StemPath> = {};
    for (const stem of STEMS) {
      const { parts = [], ...whole } = body.uploads![stem];
      const targets = stem === 'drums' ? parts.slice(0, 2) : [whole];
      for (const { url } of targets) {
        const put = await fetch(url, { method: 'PUT', body: part, headers: { 'content-type': 'audio/flac' } });
        assert.ok(put.ok, await put.text());
      }
      const paths = targets.map(({ path }) => path);
      stems[stem] = paths.length === 1 ? paths[0]! : paths;
    }
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ success: true, job_id: body.job_id, stems, model: 'in-parts' }));
  })();
});
await once(separation.listen(0, '127.0.0.1'), 'listening');
after(() => separation.close());
await sql`update mashup.settings set value = '2000000' where name = 'storage_max_bytes'`;
const separationUrl = `http://127.0.0.1:${(separation.address() as AddressInfo).port}`;
const worker = await fixture.startWorker({ serviceUrls: { ...services.urls, separation: separationUrl } });
after(() => worker.stop());

const lastRender = (): { songs: { stems: Record<string, string | string[]> }[]; format: string; smaller?: object } =>
  services.callsOf('processing').at(-1)!.body as never;

test('the service gets targets for as many parts as Storage may need, and the renderer the parts in order', async () => {
  const job = await fixture.untilEnded(await fixture.submit(songs));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  const { uploads, part_bytes } = requests[0]!;
  assert.equal(part_bytes, 2_000_000);
  // 125 s in parts of at least 1.8 MB.
  assert.equal(uploads!.bass.parts!.length, 13);
  assert.match(uploads!.bass.path, /\/bass\.wav$/);
  assert.match(uploads!.bass.parts![1]!.path, /\/bass\.2\.flac$/);
  for (const { stems } of lastRender().songs) {
    assert.match(String(stems['drums']), /drums\.1\.flac\?token=.*,.*drums\.2\.flac\?token=/);
    assert.ok(Array.isArray(stems['drums']));
  }
  const rows = await sql<{ parts: number; files: number }[]>`
    select jsonb_array_length(paths -> 'drums') as parts, (select count(*)::int from mashup.stem_files(paths)) as files
    from mashup.stems`;
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [1, 2].map(() => ({ parts: 2, files: 5 })),
  );
});

test('stems of which one part is missing are made again', async () => {
  const [row] = await sql<
    { path: string }[]
  >`select paths #>> '{drums,1}' as path from mashup.stems order by id limit 1`;
  await fixture.bucket.remove([row!.path]);
  const before = requests.length;
  const job = await fixture.untilEnded(await fixture.submit(songs));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  assert.equal(requests.length, before + 1);
});

test('a name that hints at voices alone makes stems of its own, and leaves those of the other name', async () => {
  // The sound of both songs leaves open what they contain.
  await sql`update mashup.analyses set analysis = jsonb_set(analysis, '{vocal,voices_alone}', '0.4')`;
  const submitAs = async (name: string): Promise<unknown[]> => {
    const before = requests.length;
    const job = await fixture.untilEnded(await fixture.submit([{ path: songs[0]!, name }, songs[1]!]));
    assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
    return requests.slice(before).map(({ layout }) => layout);
  };
  assert.deepEqual(await submitAs('Halo (Acapella)'), ['voices_only']);
  assert.deepEqual(await submitAs('Halo'), []);
  assert.deepEqual(await submitAs('Halo (Acapella)'), []);
});

test('all parts of deleted stems are deleted, and files of no row are found', async () => {
  assert.deepEqual([...(await sql`select * from mashup.missing_files()`)], []);
  const files = await sql<{ path: string }[]>`select f as path from mashup.stems s, mashup.stem_files(s.paths) f`;
  await sql`delete from mashup.stems`;
  const queued = await sql<{ path: string }[]>`
    select path from mashup.storage_deletions where not is_prefix and path = any (${files.map(({ path }) => path)})`;
  assert.equal(queued.length, files.length);
});

test('a mashup that is too large as WAV is ordered as FLAC, with MP3 for a FLAC that is too large', async () => {
  const job = await fixture.untilEnded(await fixture.submit(songs));
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);
  const { format, smaller } = lastRender();
  assert.equal(format, 'flac');
  assert.match(JSON.stringify(smaller), /"format":"mp3".*\.mp3\?token=/);
});

test('a mashup in another format than was asked for has a warning that says why', () => {
  assert.equal(
    formatWarning('wav', 'flac', 330, 52_428_800),
    'As WAV the mashup would be 58 MB, and Storage accepts 52 MB: it is delivered as FLAC, which has the same sound.',
  );
  assert.match(
    formatWarning('flac', 'mp3', 600, 52_428_800) ?? '',
    /^As FLAC the mashup would be too large, .* it is delivered as MP3\.$/,
  );
  assert.equal(formatWarning('mp3', 'wav', 100, 52_428_800), 'The renderer wrote WAV instead of MP3.');
  assert.equal(formatWarning('wav', 'wav', 600, 52_428_800), undefined);
});

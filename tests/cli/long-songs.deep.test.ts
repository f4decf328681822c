/**
 * The documented way against a project: `mashup worker --with-services`, songs of twelve minutes, and a mashup that is too large
 * as WAV. Storage has the usual limit of 50 MB.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { encodeMp3 } from '../../audio/encode/encode-mp3.ts';
import { freePort } from '../../local/ports.ts';
import { SERVICES } from '../../schema.ts';
import { STEM_PART_BYTES, STORAGE_MAX_BYTES } from '../../schema/constants.ts';
import { playBand } from '../audio-in/signals.ts';
import { until } from '../support/until.ts';
import { useWorkerFixture } from '../worker/worker-fixture.ts';

const MAIN = join(import.meta.dirname, '../../cli/main.ts');
const SONG_SEC = 720;
const LOOP_SEC = 32;
/** Longer than 4:57, the length of 50 MB as WAV. */
const MASHUP_SEC = 330;
const LIMIT_MS = 1_200_000;

/** A long song with noise, which makes its stems hard to compress. */
async function longSong(bpm: number, tonic: number): Promise<Buffer> {
  const { samples } = playBand({ bpm, tonic, seconds: LOOP_SEC });
  const channel = (seed: number): Float32Array => {
    let state = seed;
    return Float32Array.from({ length: SONG_SEC * SAMPLE_RATE }, (_, i) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return 0.7 * samples[i % samples.length]! + 0.25 * (state / 2 ** 31 - 1);
    });
  };
  return Buffer.from(await encodeMp3([channel(1), channel(2)], SAMPLE_RATE, {}));
}

// Encoding blocks this process, in which the gateway runs: all of it comes before the first connection, which would be reset.
const files = [await longSong(120, 0), await longSong(116, 5)];
const fixture = await useWorkerFixture({ after });
const { sql } = fixture;

test('long songs become stems in parts, and a long mashup a file that Storage accepts', async (t) => {
  const songs = [await fixture.upload('one.mp3', files[0]!), await fixture.upload('two.mp3', files[1]!)];
  const ports: string[] = [];
  for (const service of SERVICES) ports.push('--port', `${service}=${await freePort()}`);
  const child = spawn(process.execPath, [MAIN, 'worker', '--with-services', ...ports], {
    env: {
      ...process.env,
      DATABASE_URL: fixture.database.workerUrl,
      SUPABASE_URL: fixture.supabaseUrl,
      SUPABASE_SERVICE_ROLE_KEY: fixture.serviceRoleKey,
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  t.after(() => void child.kill('SIGKILL'));
  await sql`update mashup.settings set value = ${MASHUP_SEC} where name in ('plan_min_length_sec', 'plan_max_length_sec')`;
  const id = await fixture.submit(songs, { length_sec: MASHUP_SEC });
  await until(
    async () => JSON.stringify(await fixture.job(id)),
    async () => ['complete', 'failed'].includes((await fixture.job(id)).stage),
    LIMIT_MS,
  );
  const job = await fixture.job(id);
  assert.equal(job.stage, 'complete', `${job.error_code}: ${job.error_message}`);

  const stored = await sql<{ name: string; bytes: number }[]>`
    select name, (metadata ->> 'size')::float8 as bytes from storage.objects where name not like 'uploads/%' order by name`;
  t.diagnostic(stored.map(({ name, bytes }) => `${name.split('/').at(-1)} ${(bytes / 1e6).toFixed(1)} MB`).join(', '));
  const stems = stored.filter(({ name }) => name.startsWith('stems/'));
  assert.ok(stems.every(({ name, bytes }) => name.endsWith('.flac') && bytes <= STEM_PART_BYTES));
  assert.ok(
    stems.some(({ name }) => name.endsWith('.2.flac')),
    'a stem has several parts',
  );
  const result = job.result as { format: string; bytes: number; duration_sec: number };
  assert.ok(result.duration_sec > 300 && result.bytes <= STORAGE_MAX_BYTES);
  assert.notEqual(result.format, 'wav');
  const [rendered] = await sql<{ warnings: string[] }[]>`
    select quality -> 'warnings' as warnings from mashup_results where job_id = ${id}`;
  assert.match(JSON.stringify(rendered?.warnings), /As WAV the mashup would be 5\d MB, and Storage accepts 52 MB/);
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

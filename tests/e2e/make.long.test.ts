import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createClient } from '@supabase/supabase-js';
import postgres from 'postgres';
import { readStack, startStack } from '../../local/index.ts';
import { filesOf, piecesOf } from '../../schema.ts';
import type { Plan, StoredStems } from '../../schema.ts';
import { analyzeSong } from '../../services/analysis/analyze.ts';
import { decodeAudio } from '../../audio/decode/decode.ts';
import { encodeWav16, WAV16_HEADER_BYTES } from '../../audio/encode/encode-wav.ts';
import { measureLoudness } from '../../audio/level/loudness.ts';
import { assertDownload, assertFeedback, assertLogs, assertShare } from './mashup-commands.ts';
import { songStems } from '../services/own-stems-songs.ts';
import type { Sound } from '../services/own-stems-songs.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** Length of the mashups in seconds. */
const LENGTH = ['--length', '24'];
/** Time in which a player goes from the level of the parts to that of the file. */
const GLIDE_SEC = 3;
const SONGS = ['examples/neon-drive.mp3', 'examples/paper-kites.mp3'];

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Variables that `mashup` gets besides those of this process. */
let variables: NodeJS.ProcessEnv = {};

/** Starts `mashup` in the project's root. */
function start(...args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, ['cli/main.ts', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Colours are on without a terminal if CI is set.
    env: { ...process.env, NO_COLOR: '1', ...variables },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr }))) };
}

/** Runs `mashup` in the project's root. */
const mashup = (...args: string[]): Promise<Ended> => start(...args).ended;

/** Returns the longest time in which both channels stay below -60 dBFS, in seconds. */
function longestSilence(channels: readonly Float32Array[], sampleRate: number): number {
  const [left = new Float32Array(), right = left] = channels;
  let run = 0;
  let longest = 0;
  for (let i = 0; i < left.length; i++) {
    run = Math.max(Math.abs(left[i] ?? 0), Math.abs(right[i] ?? 0)) < 0.001 ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest / sampleRate;
}

/** Measures a delivered file and compares it with its plan. */
async function assertMatchesPlan(file: string, plan: Plan): Promise<void> {
  const audio = await decodeAudio(new Uint8Array(await readFile(file)));
  const planned = plan.masterplan.timeline.reduce((sum, section) => sum + section.duration_sec, 0);
  assert.ok(Math.abs(audio.duration_sec / planned - 1) < 0.01, `${audio.duration_sec} s of ${planned} s planned`);
  const { integrated_lufs, true_peak_dbtp } = measureLoudness(audio.channels, audio.sampleRate);
  assert.ok(Math.abs(integrated_lufs + 14) <= 0.5, `${integrated_lufs} LUFS`);
  assert.ok(true_peak_dbtp <= -1, `${true_peak_dbtp} dBTP`);
  assert.ok(longestSilence(audio.channels, audio.sampleRate) <= 1, 'the file has a gap');
  // Listeners may perceive the detected tempo or an alternative, at any octave.
  const { bpm, tempo_alternatives = [] } = (await analyzeSong(audio.channels)).rhythmic;
  const target = plan.masterplan.global.targetBPM;
  const detected = [bpm, ...tempo_alternatives.map((other) => other.bpm)];
  assert.ok(
    detected.some((tempo) => [0.5, 1, 2].some((octave) => Math.abs(tempo / target / octave - 1) < 0.01)),
    `${detected.join(', ')} bpm detected, ${target} planned`,
  );
}

/** Sound of a playable part, as bytes of a recording, and where it begins there. */
interface RecordedPart {
  folder: string;
  at: number;
  bytes: Buffer;
}

/**
 * Compares what a player got with the parts in Storage, and its length with the finished file. Besides the render the opening may have
 * published parts: those of the render follow wherever the listener is when they come.
 */
async function assertPlayed(
  { apiUrl, serviceRoleKey }: { apiUrl: string; serviceRoleKey: string },
  id: string,
  recording: Buffer,
  file: string,
): Promise<void> {
  const bucket = createClient(apiUrl, serviceRoleKey, { auth: { persistSession: false } }).storage.from('mashups');
  const names = (await bucket.list(`generated/${id}`)).data?.map(({ name }) => name) ?? [];
  const parts: RecordedPart[] = [];
  for (const folder of names.filter((name) => name.endsWith('.parts'))) {
    const { data: files } = await bucket.list(`generated/${id}/${folder}`);
    let at = WAV16_HEADER_BYTES;
    for (let i = 0; i < (files?.length ?? 0); i++) {
      const { data } = await bucket.download(`generated/${id}/${folder}/${i}.flac`);
      const { channels } = await decodeAudio(new Uint8Array(await data!.arrayBuffer()), { limits: { minSec: 0 } });
      const bytes = Buffer.from(encodeWav16(channels, 44_100)).subarray(WAV16_HEADER_BYTES);
      parts.push({ folder, at, bytes });
      at += bytes.length;
    }
  }
  let at = WAV16_HEADER_BYTES;
  let played = 0;
  for (;;) {
    const next = parts.find(
      (part) =>
        part.at <= at &&
        part.at + part.bytes.length > at &&
        recording.subarray(at, part.at + part.bytes.length).equals(part.bytes.subarray(at - part.at)),
    );
    if (!next) break;
    at = next.at + next.bytes.length;
    played++;
  }
  const made = parts.map((part) => `${part.folder} ${part.at}+${part.bytes.length}`).join(', ');
  assert.ok(played >= 2, `${played} parts were played, up to ${at}; there are ${made}`);
  const { channels } = await decodeAudio(new Uint8Array(await readFile(file)));
  assert.equal(recording.length, WAV16_HEADER_BYTES + 4 * channels[0].length);
  // The rest is that of the file, whose level is reached within seconds.
  const rest = at + 4 * GLIDE_SEC * 44_100;
  assert.ok(recording.subarray(rest).equals(Buffer.from(encodeWav16(channels, 44_100)).subarray(rest)), 'the rest');
}

/** Adds a voice to a song. Returns the voice. */
async function addVoice(path: string, out: string): Promise<Sound> {
  const { channels } = await decodeAudio(new Uint8Array(await readFile(join(ROOT, path))));
  const { vocals } = songStems(1);
  const voice = vocals.map((channel) => channels[0].map((_, i) => channel[i % channel.length]!)) as Sound;
  const sung = channels.map((channel, c) => channel.map((value, i) => 0.6 * value + voice[c]![i]!));
  await writeFile(out, encodeWav16(sung, 44_100));
  return voice;
}

/** The stored vocals of the song that was given with an acapella are those of its file. */
async function assertVocals(
  sql: postgres.Sql,
  { apiUrl, serviceRoleKey }: { apiUrl: string; serviceRoleKey: string },
  acapella: Sound,
): Promise<void> {
  const rows = await sql<
    { model: string; paths: StoredStems }[]
  >`select model, paths from mashup.stems where method = 'own'`;
  assert.deepEqual(
    rows.map(({ model }) => model),
    ['own+dsp-4'],
  );
  const bucket = createClient(apiUrl, serviceRoleKey, { auth: { persistSession: false } }).storage.from('mashups');
  for (const { start_sec, vocals } of piecesOf(rows[0]!.paths) ?? []) {
    const { data } = await bucket.download(filesOf(vocals)[0]!);
    const { channels } = await decodeAudio(new Uint8Array(await data!.arrayBuffer()), { limits: { minSec: 0 } });
    const from = Math.round(start_sec * 44_100);
    let [error, energy] = [0, 0];
    channels[0].forEach((value, i) => {
      error += (value - (acapella[0][from + i] ?? 0)) ** 2;
      energy += value ** 2;
    });
    assert.ok(error < energy / 300, `vocals from ${start_sec} s: ${10 * Math.log10(error / energy)} dB`);
  }
}

describe('mashup make', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'mashup-e2e-'));
  const dataDir = join(dir, 'data');
  const stackOptions = ['--data-dir', dataDir, '--port-base', '0'];
  after(() => rm(dir, { recursive: true, force: true }));
  let jobId = '';

  it('starts a stack, makes a mashup, plays it meanwhile and stops the stack', async () => {
    // A player that stores what it gets.
    await writeFile(join(dir, 'ffplay'), '#!/bin/sh\nexec cat > "$RECORDING"\n', { mode: 0o755 });
    variables = {
      PATH: [dir, process.env['PATH']].join(delimiter),
      RECORDING: join(dir, 'recording.wav'),
      // An opening is rendered on two processors as well.
      OPENING_MIN_PROCESSORS: '1',
    };
    const out = join(dir, 'cold.wav');
    const { code, stdout, stderr } = await mashup(
      'make',
      ...SONGS,
      ...LENGTH,
      '--out',
      out,
      '--play',
      '--json',
      ...stackOptions,
    );
    variables = {};
    assert.equal(code, 0, stderr + stdout.slice(-2000));
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const last = lines.at(-1);
    assert.equal(last.type, 'result');
    const jobs = lines.filter((line) => line.type === 'job');
    jobId = jobs[0].job_id;
    const versions = jobs.map((line) => line.version as number);
    assert.deepEqual(
      versions,
      [...versions].sort((a, b) => a - b),
    );
    const stages = [...new Set(jobs.map((line) => line.stage))];
    const playsAt = lines.findIndex(({ type, step }) => type === 'step' && step === 'Playing with ffplay');
    const completeAt = lines.findIndex(({ type, stage }) => type === 'job' && stage === 'complete');
    assert.ok(playsAt > 0 && playsAt < completeAt, 'it plays before the mashup is complete');
    for (const stage of ['analyzing', 'rendering', 'complete'])
      assert.ok(stages.includes(stage), `${stage} in ${stages}`);
    assert.equal(await readStack(dataDir), undefined);
  });

  it('delivers the planned mashup, keeps it when the stack starts again, and replays it after an SQL update', async (t) => {
    const stack = await startStack({ dataDir, portBase: 0 });
    t.after(() => stack.stop());
    const sql = postgres(stack.info.dbUrl, { max: 2, onnotice: () => {} });
    t.after(() => sql.end({ timeout: 1 }));
    const [row] = await sql<
      { plan: Plan }[]
    >`select plan from mashup_plans where job_id = ${jobId} order by version desc limit 1`;
    assert.ok(row);
    await assertMatchesPlan(join(dir, 'cold.wav'), row.plan);
    await assertPlayed(stack.info, jobId, await readFile(join(dir, 'recording.wav')), join(dir, 'cold.wav'));

    const opened = await sql`select from mashup.tasks where job_id = ${jobId} and opening ? 'folder'`;
    assert.equal(opened.length, 1, 'one task has the opening rendered');

    const out = join(dir, 'warm.mp3');
    const song = join(dir, 'neon-drive.wav');
    const acapella = await addVoice(SONGS[0]!, song);
    await writeFile(join(dir, 'acapella.wav'), encodeWav16(acapella, 44_100));
    const vocals = ['--vocals', `2=${join(dir, 'acapella.wav')}`];
    const warm = await mashup('make', SONGS[1]!, song, ...vocals, ...LENGTH, '--out', out, '--data-dir', dataDir);
    assert.equal(warm.code, 0, warm.stderr);
    assert.match(
      warm.stdout,
      /Tempo\s+[\d.]+ bpm[^]*Key[^]*Loudness\s+-1[34]\.\d[^]*Separation\s+Paper Kites: dsp-4 \(classical\), Neon Drive: stems of your own[^]*File\s+.*warm\.mp3/,
    );
    const refused = await mashup(
      'make',
      ...SONGS,
      '--separation',
      'neural',
      '--out',
      join(dir, 'no.mp3'),
      '--data-dir',
      dataDir,
    );
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /There is no separation model.* Install one: `mashup models install htdemucs`/);
    const [second] = await sql<
      { plan: Plan }[]
    >`select plan from mashup_plans where job_id <> ${jobId} order by created_at desc limit 1`;
    assert.ok(second);
    await assertMatchesPlan(out, second.plan);
    await assertVocals(sql, stack.info, acapella);

    const [newest] = await sql<{ id: string }[]>`select id from mashup_jobs order by created_at desc limit 1`;
    const stage = {
      mashup: (...args: string[]) => mashup(...args, '--data-dir', dataDir),
      start: (...args: string[]) => start(...args, '--data-dir', dataDir),
      sql,
      dir,
      jobId: newest!.id,
      file: out,
    };
    await assertDownload(stage);
    await assertLogs(stage);
    await assertShare(stage);
    await assertFeedback(stage);

    await sql`update mashup_jobs set stage = 'planning' where id = ${jobId}`;
    const shown = await mashup('show', jobId, '--json', '--data-dir', dataDir);
    assert.equal(shown.code, 0, shown.stderr);
    for (;;) {
      const [job] = await sql`select stage, epoch from mashup_jobs where id = ${jobId}`;
      assert.notEqual(job?.stage, 'failed');
      if (job?.stage === 'complete' && job.epoch === 2) break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const status = JSON.parse((await mashup('status', '--json', '--data-dir', dataDir)).stdout);
    for (const key of ['apiUrl', 'dbUrl', 'anonKey', 'serviceRoleKey', 'services', 'workers'])
      assert.ok(key in status, key);
  });
});

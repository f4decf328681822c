/** The commands on a finished mashup, on a running stack. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type postgres from 'postgres';
import { until } from '../support/until.ts';

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface Stage {
  /** Runs `mashup` on the stack. */
  mashup: (...args: string[]) => Promise<Ended>;
  /** Starts `mashup` on the stack. */
  start: (...args: string[]) => { child: ChildProcess; ended: Promise<Ended> };
  sql: postgres.Sql;
  /** Folder for files. */
  dir: string;
  /** The newest mashup, and its file. */
  jobId: string;
  file: string;
}

const lastLine = ({ stdout }: Ended): Record<string, unknown> =>
  JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;

/** `download` writes the delivered file, and overwrites nothing. */
export async function assertDownload({ mashup, dir, jobId, file }: Stage): Promise<void> {
  const out = join(dir, 'again.mp3');
  const downloaded = await mashup('download', jobId.slice(0, 8), '--out', out);
  assert.equal(downloaded.code, 0, downloaded.stderr);
  assert.ok((await readFile(out)).equals(await readFile(file)));
  const refused = await mashup('download', 'last', '--out', out, '--json');
  assert.deepEqual([refused.code, lastLine(refused)['code']], [2, 'output_exists']);
  const other = await mashup('download', 'last', '--out', join(dir, 'again.flac'));
  assert.equal(other.code, 2);
  assert.match(other.stderr, /is MP3, not FLAC\. End the name with \.mp3\./);
}

/**
 * `feedback` refuses what nobody understands, and makes another version, which `watch` follows from another terminal. Ctrl-C cancels the version.
 */
export async function assertFeedback({ mashup, start, sql, dir, jobId }: Stage): Promise<void> {
  const refused = await mashup('feedback', 'last', 'paint it blue', '--out', join(dir, 'blue.mp3'));
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /Not understood: "paint it blue"\. You can ask for: /);

  const { child, ended } = start('feedback', 'last', 'more bass', '--out', join(dir, 'bass.mp3'));
  let version = '';
  await until('there is another version', async () => {
    const [row] = await sql<{ id: string }[]>`select id from mashup_jobs where parent_id = ${jobId}`;
    version = row?.id ?? '';
    return version !== '';
  });
  const watching = start('watch', version, '--json');
  await once(watching.child.stdout!, 'data');
  child.kill('SIGINT');
  const [made, watched] = await Promise.all([ended, watching.ended]);
  assert.deepEqual([made.code, made.stderr], [130, 'Stopped.\n']);
  assert.deepEqual([watched.code, lastLine(watched)['code']], [1, 'cancelled']);
  assert.equal(existsSync(join(dir, 'bass.mp3')), false);
}

/** `share` makes one link until it is revoked. */
export async function assertShare({ mashup }: Stage): Promise<void> {
  const shared = await mashup('share', 'last', '--json');
  assert.equal(shared.code, 0, shared.stderr);
  const { url } = lastLine(shared);
  assert.match(String(url), /^http:\/\/127\.0\.0\.1:\d+\/s\/[\w-]{22,}$/);
  assert.equal(lastLine(await mashup('share', 'last', '--json'))['url'], url);
  assert.match((await mashup('share', 'last', '--revoke')).stdout, /The link is revoked/);
}

/** `logs` prints lines of tasks, and of the stack. */
export async function assertLogs({ mashup, jobId }: Stage): Promise<void> {
  const ofJob = await mashup('logs', jobId);
  assert.match(ofJob.stdout, /^[\d:.]{12} render +info +/m, ofJob.stderr);
  const ofStack = await mashup('logs', '--of', 'worker', '--lines', '3', '--json');
  const lines = ofStack.stdout.trim().split('\n');
  assert.equal(lines.length, 3, ofStack.stderr);
  assert.equal(lastLine(ofStack)['source'], 'worker');
}

/** Long songs for the tests of memory. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { songFiles, SONG_SEC } from './songs.ts';

const CHILD = new URL('memory-child.ts', import.meta.url).pathname;

/** Megabytes above its base that a process needs for the work on an MP3 of `seconds`; the base is what it has with the file loaded. */
export async function memoryFor(work: 'analysis' | 'separation', seconds: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'mashup-memory-'));
  try {
    const path = join(folder, 'song.mp3');
    // MP3 frames stand on their own: a long song is a short one over and over.
    const [short] = await songFiles();
    await writeFile(path, Buffer.concat(Array.from({ length: Math.ceil(seconds / SONG_SEC) }, () => short!.bytes)));
    const { stdout } = await promisify(execFile)(process.execPath, [CHILD, work, path]);
    const answer = JSON.parse(stdout) as { seconds: number; risenBytes: number };
    if (!(answer.seconds >= seconds)) throw new Error(`Only ${answer.seconds} s were read.`);
    return answer.risenBytes / 2 ** 20;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

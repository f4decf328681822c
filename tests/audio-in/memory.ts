/** Measures the memory of a process that analyses or separates a long song. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { songFiles, SONG_SEC } from './song-files.ts';

const CHILD = new URL('memory-child.ts', import.meta.url).pathname;

/** Increase of the peak memory by the work on an MP3 file of `seconds`, MB. The base is the process with the file loaded. */
export async function memoryFor(work: 'analysis' | 'separation', seconds: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'mashup-memory-'));
  try {
    const path = join(folder, 'song.mp3');
    // MP3 frames are independent: a long song is a repeated short one.
    const [short] = await songFiles();
    await writeFile(path, Buffer.concat(Array.from({ length: Math.ceil(seconds / SONG_SEC) }, () => short!.bytes)));
    const { stdout } = await promisify(execFile)(process.execPath, [CHILD, work, path]);
    const answer = JSON.parse(stdout) as { seconds: number; increaseBytes: number };
    if (!(answer.seconds >= seconds)) throw new Error(`Only ${answer.seconds} s were read.`);
    return answer.increaseBytes / 2 ** 20;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

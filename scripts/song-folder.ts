/** Reads and analyses the songs of a folder: audio files, and folders of stems whose sum is the song. */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, parse } from 'node:path';
import { STEMS, type AnalyzedSong, type PairScore } from '../schema.ts';
import { scorePair } from '../music/scoring/scoring.ts';
import { analyzeSong } from '../services/analysis/analyze.ts';
import { decodeAudio } from '../audio/decode/decode.ts';

const AUDIO = ['.mp3', '.ogg', '.opus', '.flac', '.wav', '.aif', '.aiff'];
const MIN_SEC = 1;

type Stereo = [Float32Array, Float32Array];

async function readAudio(file: string): Promise<Stereo> {
  return (await decodeAudio(await readFile(file), { limits: { minSec: MIN_SEC } })).channels;
}

async function mixStems(folder: string): Promise<Stereo> {
  const stems = await Promise.all(STEMS.map((stem) => readAudio(join(folder, `${stem}.ogg`))));
  const length = Math.max(...stems.map(([left]) => left.length));
  const mix: Stereo = [new Float32Array(length), new Float32Array(length)];
  for (const stem of stems)
    for (const channel of [0, 1] as const) stem[channel].forEach((value, i) => (mix[channel][i]! += value));
  return mix;
}

/** Reads and analyses every song of a folder, sorted by name. */
export async function readSongs(folder: string): Promise<AnalyzedSong[]> {
  const songs: AnalyzedSong[] = [];
  for (const entry of (await readdir(folder, { withFileTypes: true })).sort((a, b) => a.name.localeCompare(b.name))) {
    const path = join(folder, entry.name);
    if (!entry.isDirectory() && !AUDIO.includes(extname(entry.name))) continue;
    const analysis = await analyzeSong(entry.isDirectory() ? await mixStems(path) : await readAudio(path));
    const { name } = parse(entry.name);
    songs.push({ song_id: name, name: name.replace(/[-_]+/g, ' '), artist: 'Unknown', analysis });
  }
  return songs;
}

/** Scores every pair of songs, the earlier song first. */
export function scorePairs(songs: readonly AnalyzedSong[]): PairScore[] {
  return songs.flatMap((first, index) => songs.slice(index + 1).map((second) => scorePair(first, second)));
}

/** Returns a Markdown table. The keys of the first row are its header. */
export function markdownTable(rows: readonly Record<string, string | number>[]): string {
  const head = Object.keys(rows[0] ?? {});
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(head),
    line(head.map(() => '---')),
    ...rows.map((row) => line(head.map((name) => row[name] ?? ''))),
  ].join('\n');
}

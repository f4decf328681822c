/**
 * node bench/pairs.ts FOLDER [--triples] [--separate] [--pairs a+b,c+d] [--keep DIR] [--write]
 *
 * Renders a rule-based mashup of every pair (or triple) of songs of a folder and prints the measurements of its quality checks. A song
 * is a folder with four stems (vocals, drums, bass, other) or one file. Files are separated; with --separate the sum of the stems
 * is separated as well. --write writes the table and pictures to docs/.
 */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { decodeAudio } from '../audio/decode/decode.ts';
import type { AnalyzedSong } from '../schema.ts';
import type { AudioServices } from './audio-services.ts';
import { withAudioServices } from './audio-services.ts';
import type { PairResult } from './pair-result.ts';
import {
  analyzeStoredSong,
  AUDIO_EXTENSIONS,
  groupsOf,
  loadSong,
  nameOf,
  renderGroup,
  separateStoredSong,
} from './pair-songs.ts';
import { rowOf } from './pair-table.ts';
import { drawSpectrogram, drawTimeline } from './pictures.ts';
import { writeQualityDoc } from './quality-doc.ts';
import { printTable } from './table.ts';

const DOCS = join(import.meta.dirname, '..', 'docs');

/** Mashups that pictures are drawn of, by their index in the table: one with a common tempo, one with two tempi. */
const PICTURED = new Map([
  [0, 'mashup'],
  [1, 'two-tempi'],
]);

/** Writes a spectrogram and a timeline of a mashup to docs/images. */
async function drawPictures(result: PairResult, file: Uint8Array, name: string): Promise<void> {
  const { channels } = await decodeAudio(file);
  const pictures = join(DOCS, 'images');
  await mkdir(pictures, { recursive: true });
  await writeFile(join(pictures, `${name}-spectrogram.png`), await drawSpectrogram(channels));
  await writeFile(join(pictures, `${name}-timeline.png`), drawTimeline(result));
}

const { values, positionals } = parseArgs({
  options: {
    triples: { type: 'boolean', default: false },
    separate: { type: 'boolean', default: false },
    pairs: { type: 'string' },
    keep: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const [songFolder = ''] = positionals;
if (songFolder === '') {
  console.error('A folder of songs is missing: node bench/pairs.ts FOLDER');
  process.exit(1);
}
const files = new Map<string, Uint8Array>();

/** Loads, separates and analyses songs of the folder. */
async function prepareSongs(names: readonly string[], services: AudioServices): Promise<AnalyzedSong[]> {
  const songs: AnalyzedSong[] = [];
  for (const name of names) {
    const hasStems = await loadSong(join(songFolder, name), files, values.separate);
    if (!hasStems) await separateStoredSong(name, services);
    songs.push(await analyzeStoredSong(name, services));
  }
  return songs;
}

/** Prints a result and writes its file and pictures as the options say. `index` is that of the result. */
async function report(result: PairResult, group: readonly AnalyzedSong[], index: number): Promise<void> {
  console.error(JSON.stringify(rowOf(result)));
  for (const text of result.result.quality?.corrections ?? []) console.error(`  ${text}`);
  const failed = result.result.quality?.checks.filter(({ passed, kind }) => !passed && kind === 'hard') ?? [];
  for (const { name, value } of failed) console.error(`  Failed: ${name} (${value}).`);
  const path = `/${nameOf(group)}.wav`;
  if (values.keep !== undefined) {
    await mkdir(values.keep, { recursive: true });
    await writeFile(join(values.keep, path), files.get(path)!);
  }
  const picture = values.write && !values.triples && !values.separate ? PICTURED.get(index) : undefined;
  if (picture !== undefined) await drawPictures(result, files.get(path)!, picture);
  files.delete(path);
}

async function benchPairs(services: AudioServices): Promise<void> {
  const entries = (await readdir(songFolder, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() || AUDIO_EXTENSIONS.includes(extname(entry.name)))
    .map(({ name }) => name)
    .sort();
  const wanted = values.pairs?.split(',').map((pair) => pair.split('+'));
  const used = entries.filter((name) => !wanted || wanted.flat().includes(name));
  const songs = await prepareSongs(used, services);
  const results: PairResult[] = [];
  for (const group of groupsOf(songs, values.triples ? 3 : 2)) {
    if (wanted && !wanted.some((names) => group.every(({ name }) => names.includes(name)))) continue;
    const result = await renderGroup(group, services);
    results.push(result);
    await report(result, group, results.length - 1);
  }
  const mark = `${values.triples ? 'triples' : 'pairs'}:${values.separate ? 'separated' : 'stems'}`;
  printTable(`${mark} of ${basename(songFolder)}`, results.map(rowOf));
  if (values.write) await writeQualityDoc(DOCS, results.map(rowOf), mark);
}

await withAudioServices(files, benchPairs);

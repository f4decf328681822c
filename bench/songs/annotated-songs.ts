/** Songs with ground truth, and how to read them from a folder. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { STEMS } from '../../schema.ts';
import type { Stem } from '../../schema.ts';
import { decodeAudio } from '../../audio/decode/decode.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';

/** A song with its annotations and stems (two channels at 44.1 kHz, equally long). Times are in seconds. */
export type AnnotatedSong = {
  name: string;
  bpm: number;
  /** True if the tempo is constant. */
  steady: boolean;
  meter: number;
  /** E.g. `C# minor`. */
  key: string;
  beats: readonly number[];
  downbeats: readonly number[];
  stems: Record<Stem, StereoChunk>;
};

const TruthFile = z.looseObject({
  bpm: z.number(),
  key: z.string(),
  mode: z.string(),
  meter: z.number(),
  beats: z.array(z.number()),
  downbeats: z.array(z.number()),
});

/** The sum of a song's stems. */
export function mixOf({ stems }: AnnotatedSong): StereoChunk {
  const length = Math.max(...STEMS.map((stem) => stems[stem][0].length));
  const sum = (channel: 0 | 1): Float32Array => {
    const out = new Float32Array(length);
    for (const stem of STEMS) stems[stem][channel].forEach((value, i) => (out[i]! += value));
    return out;
  };
  return [sum(0), sum(1)];
}

async function readStem(folder: string, stem: Stem): Promise<StereoChunk> {
  const file = (await readdir(folder)).find((name) => name.startsWith(`${stem}.`));
  if (!file) throw new Error(`There is no ${stem} stem in ${folder}. Each song needs ${STEMS.join(', ')}.`);
  const bytes = new Uint8Array(await readFile(join(folder, file)));
  return (await decodeAudio(bytes, { limits: { minSec: 0, maxBytes: bytes.length } })).channels;
}

/** True if all beats are equally long to 0.2 %, which is the precision of the annotations. */
function isSteady(beats: readonly number[]): boolean {
  const steps = beats.slice(1).map((time, i) => time - beats[i]!);
  return Math.max(...steps) < 1.002 * Math.min(...steps);
}

/** Reads `folder/<song>/truth.json` and the four stems in the same folder, song by song. */
export async function* readAnnotatedSongs(folder: string): AsyncGenerator<AnnotatedSong> {
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  for (const { name } of names.sort((a, b) => a.name.localeCompare(b.name))) {
    const truth = TruthFile.parse(JSON.parse(await readFile(join(folder, name, 'truth.json'), 'utf8')));
    const place = join(folder, name);
    const stems = {
      vocals: await readStem(place, 'vocals'),
      drums: await readStem(place, 'drums'),
      bass: await readStem(place, 'bass'),
      other: await readStem(place, 'other'),
    };
    const end = stems.drums[0].length / 44_100;
    const within = (times: readonly number[]): number[] => times.filter((time) => time < end);
    yield {
      name,
      bpm: truth.bpm,
      steady: isSteady(truth.beats),
      meter: truth.meter,
      key: `${truth.key} ${truth.mode.startsWith('maj') ? 'major' : 'minor'}`,
      beats: within(truth.beats),
      downbeats: within(truth.downbeats),
      stems,
    };
  }
}

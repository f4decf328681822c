/** A file of a kind that is hard to read, with what it holds. */
import { decodeAudio } from '../../../audio/decode/decode.ts';
import { AudioError } from '../../../audio/errors.ts';
import type { HardCase } from '../hard-case.ts';
import { levelDb, likeness } from './short-song.ts';
import type { Stereo } from './short-song.ts';

/** A file and its truth. */
export type ContainerFile = {
  name: string;
  /** What commit e325f67 gave. */
  before: string;
  make: () => Promise<Uint8Array> | Uint8Array;
} & (
  | {
      /** What the file holds, at 44.1 kHz. */
      song: () => Promise<Stereo> | Stereo;
      /** Least likeness of each channel: 1 without loss, less for lossy codecs and low rates. */
      likeness: number;
      /** Largest difference in length, in samples. */
      samples?: number;
    }
  | {
      /** The file cannot be used, and the refusal says why. */
      refusal: RegExp;
    }
);

/** Largest difference in level, dB: at 8 kHz the hats are missing. */
const LEVEL_DB = 1;
const DEFAULT_SAMPLES = 4;

/** Decodes a file and compares it with what it holds. */
async function measure(file: ContainerFile): ReturnType<HardCase['measure']> {
  try {
    const { channels } = await decodeAudio(await file.make());
    const seconds = `${(channels[0].length / 44_100).toFixed(2)} s`;
    if (!('song' in file)) return { value: `accepted, ${seconds}`, right: false };
    const truth = await file.song();
    const alike = channels.map((samples, i) => likeness(samples, truth[i]!));
    const levels = channels.map((samples, i) => levelDb(samples, truth[i]!));
    const difference = Math.abs(channels[0].length - truth[0].length);
    const right =
      difference <= (file.samples ?? DEFAULT_SAMPLES) &&
      alike.every((value) => value >= file.likeness) &&
      levels.every((value) => Math.abs(value) < LEVEL_DB);
    const level = levels.reduce((largest, value) => (Math.abs(value) > Math.abs(largest) ? value : largest));
    return { value: `${seconds}, likeness ${Math.min(...alike).toFixed(3)}, ${level.toFixed(1)} dB`, right };
  } catch (error) {
    if (!(error instanceof AudioError)) throw error;
    return { value: error.message, right: 'refusal' in file && file.refusal.test(error.message) && error.hint !== '' };
  }
}

/** The case of a file. */
export function caseOf(file: ContainerFile): HardCase {
  const truth = 'refusal' in file ? `refused with the reason (${file.refusal.source})` : 'decoded whole, at its level';
  return { group: 'container', name: file.name, truth, before: file.before, measure: () => measure(file) };
}

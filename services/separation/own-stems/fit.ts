/** Finds out how the files of a user lie in their song, and refuses those that do not belong to it. */
import { AudioError } from '../../../audio/errors.ts';
import { clock } from '../../../music/plan/clock.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { OWN_STEM_NAMES } from '../../../music/theory/stem-texts.ts';
import type { OwnStem } from '../../../schema.ts';
import type { Placement } from './aligned-file.ts';
import { matchLevels } from './level-match.ts';
import { likelyShifts } from './rhythm-match.ts';
import type { Shift } from './rhythm-match.ts';
import type { Sound } from './sound.ts';
import { speedOf } from './speed.ts';
import { matchWaveforms } from './waveform-match.ts';

/** A file of the recording of the song is shifted by up to this. */
const MAX_SHIFT_SEC = 30;
/** A file of another recording is shifted by up to this: no waveform confirms it. */
const MAX_OTHER_SHIFT_SEC = 2;
/** A file of another recording is about as long as the song. */
const LENGTH_TOLERANCE_SEC = 10;
/** Waveforms fit from this strength on. Measured on 16 stems of 4 songs: at least 43 in their song, at most 21 in another or at another speed. */
const SAME_RECORDING = 28;
/** Waveforms that fit like this without a shift, or nearly without one, are not compared at others. */
const CERTAIN = 2 * SAME_RECORDING;
/** Rhythms of another recording fit from this strength on. Measured: at most 11 for stems of other songs. */
const SAME_RHYTHM = 12;
/** Of shifts that fit nearly as well as the best, as in sound that repeats, the smallest is the right one. */
const NEARLY_AS_GOOD = 0.7;
/** A file is subtracted if that leaves less than this share of its energy: -13 dB. */
const MAX_LEFT = 0.05;
/** Levels are measured to about this accuracy: 0.3 dB. */
const SAME_LEVEL_DB = 0.3;
const CANDIDATES = 5;

/** How a file lies in its song. */
export interface Fit extends Placement {
  /** Strength of the fit of the waveforms; 0: the file is of another recording. */
  strength: number;
  /** Whether a subtraction from the song removes it. */
  canSubtract: boolean;
}

/**
 * Fits a file into its song.
 * @throws AudioError `own_stems_mismatch` if it does not belong to the song
 */
export async function fitFile(song: Sound, file: Sound, stem: OwnStem): Promise<Fit> {
  const matches = [await matchWaveforms(song, file, 0)];
  let shifts: Shift[] = [];
  if (matches[0]!.strength < CERTAIN) {
    shifts = await likelyShifts(song, file, MAX_SHIFT_SEC * SAMPLE_RATE, CANDIDATES);
    const near = await likelyShifts(song, file, MAX_OTHER_SHIFT_SEC * SAMPLE_RATE, CANDIDATES);
    for (const { samples } of [...near, ...shifts]) matches.push(await matchWaveforms(song, file, samples));
  }
  const best = Math.max(...matches.map(({ strength }) => strength));
  if (best < SAME_RECORDING) return fitOther(song, file, stem, shifts);
  const { shift, strength } = matches
    .filter((match) => match.strength >= best * NEARLY_AS_GOOD)
    .reduce((a, b) => (Math.abs(b.shift) < Math.abs(a.shift) ? b : a));
  const { gain, left } = await matchLevels(song, file, shift);
  // Bass and other instruments often play the same notes, so that the measure says little of them.
  const canSubtract = gain > 0 && (left <= MAX_LEFT || stem === 'bass' || stem === 'other');
  return { shift, strength, gain: gain > 0 ? gain : 1, canSubtract };
}

/** Fits a file that is of another recording than the song, but in time with it. */
async function fitOther(song: Sound, file: Sound, stem: OwnStem, shifts: readonly Shift[]): Promise<Fit> {
  const title = OWN_STEM_NAMES[stem];
  const lengths = [song, file].map(({ samples }) => samples.length / SAMPLE_RATE);
  if (Math.abs(lengths[0]! - lengths[1]!) > LENGTH_TOLERANCE_SEC) {
    const [songSec, fileSec] = lengths.map(timeText);
    throw mismatch(
      `The file given as ${title} is ${fileSec} long and the song ${songSec}, and their sounds do not agree.`,
    );
  }
  const speed = await speedOf(song, file);
  if (speed !== 1) {
    const percent = Math.abs(speed - 1) * 100;
    throw mismatch(
      `The file given as ${title} plays about ${percent.toFixed(1)} % ${speed > 1 ? 'faster' : 'slower'} than the song.`,
    );
  }
  const top = shifts[0];
  if (!top || top.strength < SAME_RHYTHM || Math.abs(top.samples) > MAX_OTHER_SHIFT_SEC * SAMPLE_RATE)
    throw mismatch(
      `The file given as ${title} is of another song or another version: it agrees with the song at no shift of up to ${MAX_SHIFT_SEC} s.`,
    );
  return { shift: top.samples, strength: 0, gain: 1, canSubtract: false };
}

/** Files of one source have one shift, and mostly one level: the file that fits best tells it exactly. */
export function unify(fits: Map<OwnStem, Fit>): void {
  const same = [...fits.values()].filter(({ strength }) => strength > 0);
  const best = same.reduce<Fit | undefined>((a, b) => (a && a.strength >= b.strength ? a : b), undefined);
  if (!best) return;
  for (const fit of same) {
    if (Math.abs(fit.shift - best.shift) < 3) fit.shift = best.shift;
    if (Math.abs(decibels(fit.gain / best.gain)) < 3 * SAME_LEVEL_DB) fit.gain = best.gain;
    if (Math.abs(decibels(fit.gain)) < SAME_LEVEL_DB) fit.gain = 1;
  }
}

const decibels = (factor: number): number => 20 * Math.log10(factor);

const timeText = (seconds: number): string => `${clock(seconds)} min`;

const mismatch = (message: string): AudioError => new AudioError('own_stems_mismatch', message);

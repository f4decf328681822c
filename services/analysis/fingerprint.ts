/** The fingerprint of a recording: how its spectrum changes over time, in a few bits that encodings keep. */
import { FINGERPRINT_ROW_BITS } from '../../music/theory/fingerprint.ts';
import { mean } from './statistics.ts';
import { TIMBRE_BANDS, TONE_RATE } from './tone-features.ts';
import type { ToneFeatures } from './tone-features.ts';

/** Time between two rows, seconds: 15 minutes fit in 2 kB of base64. */
const STEP_SEC = 1.25;
/** Steps that a row covers. */
const ROW_STEPS = 2;
/** Rows at most. */
const MAX_ROWS = 740;
/** Share of the mean power of the song from which on there is sound: silence that an encoder adds at the start is left out. */
const SOUND_POWER = 0.01;
/** Neighbouring bands that are compared. They end below 5 kHz: encodings of low quality have nothing above. */
const BANDS = FINGERPRINT_ROW_BITS + 1;
const BAND_WIDTH = 2;

/** First frame with sound. */
function firstSound({ voicePower }: ToneFeatures): number {
  const floor = SOUND_POWER * mean(voicePower);
  const first = voicePower.findIndex((power) => power > floor);
  return Math.max(0, first);
}

/** Level of each band over frames [from, to). */
function bandLevels({ timbre }: ToneFeatures, from: number, to: number): Float64Array {
  const levels = new Float64Array(BANDS);
  for (let frame = from; frame < to; frame++) {
    for (let band = 0; band < BANDS * BAND_WIDTH; band++) {
      levels[Math.floor(band / BAND_WIDTH)]! += timbre[frame * TIMBRE_BANDS + band]!;
    }
  }
  return levels;
}

/**
 * Fingerprint of a recording, base64. Each bit tells whether the difference of two neighbouring bands rises over two rows (Haitsma and
 * Kalker 2002). A row covers two steps, so that an offset of less than a step changes few bits.
 */
export function fingerprintOf(tone: ToneFeatures): string {
  const start = firstSound(tone);
  const frameOf = (step: number): number => start + Math.round(step * STEP_SEC * TONE_RATE);
  const rows: Float64Array[] = [];
  for (let step = 0; frameOf(step + ROW_STEPS) <= tone.frames && step < MAX_ROWS + ROW_STEPS; step++) {
    rows.push(bandLevels(tone, frameOf(step), frameOf(step + ROW_STEPS)));
  }
  const bytes = rows.slice(ROW_STEPS).flatMap((levels, row) => {
    const before = rows[row]!;
    let bits = 0;
    for (let i = 0; i < FINGERPRINT_ROW_BITS; i++) {
      const rise = levels[i]! - levels[i + 1]! - (before[i]! - before[i + 1]!);
      bits = (bits << 1) | (rise > 0 ? 1 : 0);
    }
    return [bits >> 8, bits & 255];
  });
  return Buffer.from(bytes).toString('base64');
}

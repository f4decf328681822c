/** Masters a mix to the target loudness. */
import type { Mastering, OutputFormat } from '../../../schema.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { roundTo16Bits } from '../../../audio/encode/encode-wav.ts';
import type { LimiterReport } from '../../../audio/level/limiter.ts';
import { integratedLoudness } from '../../../audio/level/loudness.ts';
import { RepeatLimiter } from '../../../audio/level/repeat-limiter.ts';
import { TARGET_LUFS } from '../quality/check-file.ts';
import { check } from '../quality/checks.ts';
import { type Channels, sharedSamples } from '../sound/slice.ts';
import type { Mix } from './mix.ts';

/** Ceiling of the limiter. A lossy encoder raises peaks, so it is lower there. */
export const CEILING_DB: Record<OutputFormat, number> = { wav: -1, flac: -1, mp3: -1.5 };
const LOUDNESS_TOLERANCE_LU = 0.1;
const LOUDNESS_PASSES = 5;
/** Change of loudness for a change of gain that is limited, before it is measured: that of the example songs is 0.7 to 0.8. */
const USUAL_SLOPE = 0.75;
/** A sound with a smaller slope hardly gets louder: it gets no more gain than what is missing. */
const LEAST_SLOPE = 0.5;
const LARGEST_SLOPE = 1.2;
/**
 * Gain that a mix gives up at most so that the limiter stays inaudible. With LOUDNESS_TOLERANCE_LU it is less than what the check of
 * the loudness allows.
 */
const LARGEST_CONCESSION_DB = 0.38;
/** The reduction falls a little less than the gain. */
const CONCESSION_MARGIN_DB = 0.05;

export type MasterTask = { mix: Mix; format: OutputFormat; ceilingDb: number };

/** The mastered samples. If the file holds 16-bit samples, they are rounded as in it. `mastering` gives the same master again. */
export type Master = { channels: Channels; limited: LimiterReport; mastering: Mastering };

/**
 * Brings a mix to the target loudness, below the ceiling. Limiting lowers the loudness, so the gain is found iteratively, by the slope
 * of the loudness between two passes. A mix on which the limiter would be heard stays up to LARGEST_CONCESSION_DB below the target.
 */
export function masterMix({ mix, format, ceilingDb }: MasterTask): Master {
  const channels: Channels = [sharedSamples(mix.channels[0].length), sharedSamples(mix.channels[0].length)];
  const limiter = new RepeatLimiter(mix.channels, SAMPLE_RATE);
  let gainDb = TARGET_LUFS - mix.loudness;
  let before: { gainDb: number; missing: number } | undefined;
  for (let pass = 1; ; pass++) {
    let limited = limiter.limit(gainDb, ceilingDb, channels);
    const missing = TARGET_LUFS - integratedLoudness(channels, SAMPLE_RATE);
    if (Math.abs(missing) < LOUDNESS_TOLERANCE_LU || pass === LOUDNESS_PASSES) {
      const concession = concessionDb(limited);
      if (concession > 0) limited = limiter.limit((gainDb -= concession), ceilingDb, channels);
      if (format !== 'mp3') for (const samples of channels) roundTo16Bits(samples);
      return { channels, limited, mastering: { gain_db: gainDb, ceiling_db: ceilingDb } };
    }
    const slope = before ? (before.missing - missing) / (gainDb - before.gainDb) : USUAL_SLOPE;
    before = { gainDb, missing };
    gainDb += slope < LEAST_SLOPE ? missing : missing / Math.min(LARGEST_SLOPE, slope);
  }
}

/** Gain to give up, so that the check of the limiter passes; 0 if it does, or would not. */
function concessionDb({ p95_reduction_db: reduction }: LimiterReport): number {
  const { passed, threshold } = check('limiting', reduction);
  const excess = reduction - threshold + CONCESSION_MARGIN_DB;
  return passed || excess > LARGEST_CONCESSION_DB ? 0 : excess;
}

/** `mastering` is that of the mashup; without it the mix is mastered as for a file of `format`, once. */
export type GainTask = { mix: Channels; loudness: number; mastering: Mastering | undefined; format: OutputFormat };

/** Returns the factor by which mastering multiplies each sample of a mix: one for both channels. */
export function masterGains({ mix, loudness, mastering, format }: GainTask): Float32Array<SharedArrayBuffer> {
  const { gain_db, ceiling_db } =
    mastering ?? masterMix({ mix: { channels: mix, loudness }, format, ceilingDb: CEILING_DB[format] }).mastering;
  const gains = sharedSamples(mix[0].length);
  new RepeatLimiter(mix, SAMPLE_RATE).gains(gain_db, ceiling_db, gains);
  return gains;
}

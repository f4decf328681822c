/** The checks that need the layers of a mashup: timing, metre, tempo, harmony, voices and bass of the songs against each other. */
import type { QualityCheck } from '../../../schema.ts';
import { check } from './checks.ts';
import { measureTiming } from './timing.ts';
import { measureHarmony, transpositionRank } from './harmony.ts';
import type { Expectations, MeasuredSection } from './measured-section.ts';
import { type HeardTuning, measureTuning } from './layer-tuning.ts';
import { besideBeatPercent, lowBandShare, togetherPercent, twoVoicesPercent } from './time-shares.ts';

/** Measurements by song, from which corrections start. */
export type SongMeasurements = {
  /** Milliseconds that a song is late against the anchor. */
  lateMs: Map<string, number>;
  /** Beats by which a song should play earlier; 0 if no move fits clearly better. */
  beatOffset: Map<string, number>;
  /** Correlation of a voice with the other songs' music under it, with the voice transposed up by 0..11 semitones. */
  harmony: Map<string, number[]>;
  tuning: HeardTuning;
};

/** The value at a share of the sorted values; null without values. */
function quantile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.ceil(share * values.length) - 1)] ?? null;
}

/** Checks the layers of a mashup against each other. Returns the checks, and the measurements by song behind them. */
export function checkLayers(
  sections: readonly MeasuredSection[],
  expected: Expectations,
): { checks: QualityCheck[]; measurements: SongMeasurements } {
  const timing = measureTiming(sections, expected);
  const harmony = measureHarmony(sections);
  const tuning = measureTuning(sections);
  const correlations = [...harmony.values()];
  const ranks = correlations.map((values) => transpositionRank(values));
  const tempoChange = 100 * expected.tempoChange;
  const foreignMeters = [...expected.meters.values()].filter((meter) => meter !== expected.beatsPerBar).length;
  return {
    checks: [
      check('beat_lag_median', quantile(timing.lagSizesMs, 0.5)),
      check('beat_lag_p95', quantile(timing.lagSizesMs, 0.95)),
      check('metre_advantage', timing.advantage),
      check('downbeats_on_bars', expected.downbeatsOnBars),
      check('foreign_meters', foreignMeters),
      check('tempo_change', tempoChange),
      check('tempo_change_limit', tempoChange),
      check('harmony', correlations.length > 0 ? Math.min(...correlations.map((values) => values[0]!)) : null),
      check('harmony_rank', ranks.length > 0 ? Math.max(...ranks) : null),
      check('tuning', tuning.apartCents),
      check('together', togetherPercent(sections)),
      check('beside_beat', besideBeatPercent(sections)),
      check('two_voices', twoVoicesPercent(sections)),
      check('one_bass', lowBandShare(sections)),
    ],
    measurements: { lateMs: timing.lateMs, beatOffset: timing.beatOffset, harmony, tuning },
  };
}

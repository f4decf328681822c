/**
 * The checks of the automated ear and their thresholds. Those marked as a choice are ours: no standard has them, and they were set
 * where the example songs, played right and played wrong, part.
 */
import type { QualityCheck } from '../../../schema.ts';

type Rule = Pick<QualityCheck, 'threshold' | 'bound' | 'unit' | 'kind'>;

const atMost = (threshold: number, unit: string, kind: QualityCheck['kind'] = 'hard'): Rule => ({
  threshold,
  bound: 'at_most',
  unit,
  kind,
});
const atLeast = (threshold: number, unit: string, kind: QualityCheck['kind'] = 'hard'): Rule => ({
  threshold,
  bound: 'at_least',
  unit,
  kind,
});

export const RULES = {
  /** Lag between the strokes of two songs, over windows of two bars. Choices: 10 ms is under what listeners tell apart in rhythm. */
  beat_lag_median: atMost(10, 'ms'),
  beat_lag_p95: atMost(20, 'ms'),
  /** How much better kick and snare would agree if one song were moved by a half, one or two beats. A choice. */
  metre_advantage: atMost(0.1, 'correlation'),
  /** Part of the bars of songs in the mashup's own meter that start on its bar lines. A choice. */
  downbeats_on_bars: atLeast(0.9, 'share'),
  /** Songs in another meter than the mashup: their bars cannot meet. */
  foreign_meters: atMost(0, 'songs', 'warn'),
  /** Largest change of a song's speed: comfortable, and bearable. Choices after the practice of DJs. */
  tempo_change: atMost(8, '%', 'warn'),
  tempo_change_limit: atMost(12, '%'),
  /** Pitch classes of voice and foreign bed, pooled over what is sung: likeness, and how many transpositions would fit better. Choices. */
  harmony: atLeast(0.6, 'correlation'),
  harmony_rank: atMost(2, 'of 12'),
  /** Part of the time in which at least two songs are heard: less is a medley and no mashup. A choice. */
  together: atLeast(30, '% of time'),
  /** Part of the time in which a song at its own speed is heard over another's drums: it cannot be in time with them. A choice. */
  beside_beat: atMost(5, '% of time'),
  /** Part of the time in which voices of two songs sound together. A choice. */
  two_voices: atMost(5, '% of time'),
  /** Part of the power under 120 Hz, drums aside, that the strongest layer has. A choice. */
  one_bass: atLeast(0.8, 'share'),
  loudness: atMost(0.5, 'LU from -14 LUFS'),
  true_peak: atMost(-1, 'dBTP'),
  /** Gain that the limiter takes, but for 5 % of the time. A choice: more is heard as pumping. */
  limiting: atMost(4, 'dB'),
  clipping: atMost(0, 'places'),
  /** A choice: longer is heard as a fault. */
  gap: atMost(1, 's'),
  splice_clicks: atMost(0, 'splices'),
  length: atMost(1, '% from plan'),
  format: atLeast(1, 'as asked'),
  /** Read at half, once or twice. A choice. */
  tempo: atMost(2, '% from plan', 'warn'),
} satisfies Record<string, Rule>;

export type CheckName = keyof typeof RULES;

/** A check with its verdict; a value that could not be measured (null) passes. */
export function check(name: CheckName, value: number | null): QualityCheck {
  const rule = RULES[name];
  const rounded = value === null ? null : Math.round(value * 1000) / 1000;
  const passed = rounded === null || (rule.bound === 'at_most' ? rounded <= rule.threshold : rounded >= rule.threshold);
  return { name, value: rounded, ...rule, passed };
}

/** Whether no hard check failed. */
export function isSound(checks: readonly QualityCheck[]): boolean {
  return checks.every(({ passed, kind }) => passed || kind === 'warn');
}

/** What a failed check means to a listener. */
const FAULTS: Record<CheckName, string> = {
  beat_lag_median: 'The beats of the songs do not meet',
  beat_lag_p95: 'The beats of the songs drift apart in places',
  metre_advantage: 'One song lies beside the metre of the other',
  downbeats_on_bars: 'Bars of a song start beside the bar lines',
  foreign_meters: 'A song is in another meter than the mashup',
  tempo_change: 'A song is sped up or slowed down so that it may be heard',
  tempo_change_limit: 'The tempi of the songs are too far apart: one is changed beyond what sounds natural',
  harmony: 'The voice does not fit the notes under it',
  harmony_rank: 'The voice would fit the notes under it better in another key',
  together: 'The songs are hardly heard together',
  beside_beat: 'A song plays at its own speed over the drums of another',
  two_voices: 'Two songs sing at the same time',
  one_bass: 'Two layers play in the low band',
  loudness: 'The loudness is not that of a finished mashup',
  true_peak: 'Peaks are too high',
  limiting: 'The limiter works so hard that it is heard',
  clipping: 'The sound clips',
  gap: 'There is a hole in the sound',
  splice_clicks: 'A click is heard where parts meet',
  length: 'The length is not that of the plan',
  format: 'The format is not the one that was asked for',
  tempo: 'The tempo is not that of the plan',
};

/** A failed check as a sentence with its figures. */
export function inWords({ name, value, threshold, bound, unit }: QualityCheck): string {
  const fault = FAULTS[name as CheckName] ?? name;
  return `${fault} (${value} ${unit}; ${bound === 'at_most' ? 'at most' : 'at least'} ${threshold}).`;
}

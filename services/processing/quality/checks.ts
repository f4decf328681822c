/**
 * The quality checks and their thresholds. Those marked as a choice follow no standard. They were set where renders of the example
 * songs that sound right and renders that sound wrong differ.
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

const RULES = {
  /**
   * Lag between the onsets of two songs, over windows of two bars. Choices: 10 ms is less than listeners can distinguish in
   * rhythm.
   */
  beat_lag_median: atMost(10, 'ms'),
  beat_lag_p95: atMost(20, 'ms'),
  /** Gain in the correlation of kick and snare if one song were moved by a half, one or two beats. A choice. */
  metre_advantage: atMost(0.1, 'correlation'),
  /** Share of the bars of songs in the mashup's meter that start on its bar lines. A choice. */
  downbeats_on_bars: atLeast(0.9, 'share'),
  /** Songs in another meter than the mashup: their bars cannot coincide. */
  foreign_meters: atMost(0, 'songs', 'warn'),
  /** Largest change of a song's speed: comfortable, and tolerable. Choices after the practice of DJs. */
  tempo_change: atMost(8, '%', 'warn'),
  tempo_change_limit: atMost(12, '%'),
  /**
   * Correlation of the pitch classes of a voice and of the other songs' music under it, over all that is sung, and its rank among
   * all transpositions. Choices.
   */
  harmony: atLeast(0.6, 'correlation'),
  harmony_rank: atMost(2, 'of 12'),
  /** Difference of tuning between the notes of two songs that sound together. A choice: mistuned unisons beat audibly from here on. */
  tuning: atMost(10, 'cents'),
  /** Time in which at least two songs are audible: with less it is a medley and not a mashup. A choice. */
  together: atLeast(30, '% of time'),
  /** Time in which a song at its own speed is audible over another's drums: it cannot be in time with them. A choice. */
  beside_beat: atMost(5, '% of time'),
  /** Time in which voices of two songs are active together. A choice. */
  two_voices: atMost(5, '% of time'),
  /** Share of the power below 120 Hz, without drums, that the strongest layer has. A choice. */
  one_bass: atLeast(0.8, 'share'),
  loudness: atMost(0.5, 'LU from -14 LUFS'),
  true_peak: atMost(-1, 'dBTP'),
  /** 95th percentile of the limiter's gain reduction. A choice: more is audible as pumping. */
  limiting: atMost(4, 'dB'),
  clipping: atMost(0, 'places'),
  /** A choice: a longer gap sounds like a defect. */
  gap: atMost(1, 's'),
  /** Time below -50 dBFS before the first sound and after the last one. Choices: music starts at once, and may end in a tail. */
  silence_start: atMost(1, 's'),
  silence_end: atMost(2, 's'),
  /** Level of the louder channel above the quieter one, over the whole file. A choice: more sounds one-sided. */
  side_balance: atMost(6, 'dB'),
  splice_clicks: atMost(0, 'splices'),
  length: atMost(1, '% from plan'),
  format: atLeast(1, 'as asked'),
  /** Steps on the circle of fifths between the stated key and the one that is clearly heard; relative keys are 0 apart. A choice. */
  heard_key: atMost(1, 'fifths'),
  /** Detected tempo, read at half, once or twice. A choice. */
  tempo: atMost(2, '% from plan', 'warn'),
} satisfies Record<string, Rule>;

export type CheckName = keyof typeof RULES;

/**
 * Checks a value against its threshold.
 * @param value the measured value, or null if it could not be measured; null passes
 */
export function check(name: CheckName, value: number | null): QualityCheck {
  const rule = RULES[name];
  const rounded = value === null ? null : Math.round(value * 1000) / 1000;
  const passed = rounded === null || (rule.bound === 'at_most' ? rounded <= rule.threshold : rounded >= rule.threshold);
  const checked = { name, value: rounded, ...rule, passed };
  return passed ? checked : { ...checked, message: describeFailure(checked) };
}

/** Whether all hard checks passed. */
export function passesHardChecks(checks: readonly QualityCheck[]): boolean {
  return checks.every(({ passed, kind }) => passed || kind === 'warn');
}

/** What a failed check means to a listener. */
const FAILURE_TEXTS: Record<CheckName, string> = {
  beat_lag_median: 'The beats of the songs do not coincide',
  beat_lag_p95: 'The beats of the songs drift apart in places',
  metre_advantage: 'One song is off by beats against the metre of the other',
  downbeats_on_bars: 'Bars of a song do not start on the bar lines',
  foreign_meters: 'A song is in another meter than the mashup',
  tempo_change: 'The change of speed of a song may be audible',
  tempo_change_limit: 'The tempi of the songs are too far apart: one is changed beyond what sounds natural',
  harmony: 'The voice does not fit the notes under it',
  harmony_rank: 'The voice would fit the notes under it better in another key',
  tuning: 'The songs are tuned differently',
  together: 'The songs are rarely heard together',
  beside_beat: 'A song plays at its own speed over the drums of another',
  two_voices: 'Two songs sing at the same time',
  one_bass: 'Two layers play in the low band',
  loudness: 'The loudness is off the target',
  true_peak: 'The peaks are too high',
  limiting: 'The limiter works so hard that it is audible',
  clipping: 'The sound clips',
  gap: 'There is a gap in the sound',
  silence_start: 'The mashup begins with silence',
  silence_end: 'The mashup ends with silence',
  side_balance: 'The mashup is heard from one side: one channel is much louder than the other',
  heard_key: 'The mashup sounds in another key than it states',
  splice_clicks: 'There is a click where parts are joined',
  length: 'The length differs from the plan',
  format: 'The format differs from the order',
  tempo: 'The tempo differs from the plan',
};

/** Digits of a value in a sentence. */
const TEXT_DIGITS = 3;

/** A value as a text of few digits, or with all of them where the threshold would be indistinguishable from it. */
function valueText(value: number | null, threshold: number): string {
  if (value === null) return 'not known';
  const short = Number(value.toPrecision(TEXT_DIGITS));
  return String(short === threshold ? value : short);
}

/** A failed check as a sentence with its value and threshold. */
export function describeFailure({ name, value, threshold, bound, unit }: QualityCheck): string {
  const text = FAILURE_TEXTS[name as CheckName] ?? name;
  // `songs`, but not `ms`.
  const one = value === 1 ? unit.replace(/^(\w{3,})s$/, '$1') : unit;
  return `${text} (${valueText(value, threshold)} ${one}; ${bound === 'at_most' ? 'at most' : 'at least'} ${threshold}).`;
}

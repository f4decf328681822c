/**
 * The level of playable parts. The gain of the finished mashup follows from its loudness, which is not known before all of it is
 * mixed. Parts have one gain from the first to the last: the loudness of the whole is estimated from the plan and from the part
 * that is there.
 */
import { SILENCE_LUFS } from '../../../audio/level/loudness.ts';
import type { RenderSection } from '../plan/plan.ts';
import { TARGET_LUFS } from '../quality/check-file.ts';
import { STEM_LUFS } from '../sound/stem-levels.ts';

/** Blocks this far below the mean do not count in integrated loudness (ITU-R BS.1770-4). */
const RELATIVE_GATE_LU = 10;
/**
 * Share of the difference between a measured section and its plan that is expected in the others. Most of it is its own: sweeps, pauses
 * and fades make beginnings quieter than their levels in the plan.
 */
const COMMON_SHARE = 0.25;
/** An intro may be this much quieter than the whole. */
const MAX_QUIETER_LU = 12;

/** A time of the mashup, and its loudness in LUFS if it has been measured. */
export type LevelSpan = { section: RenderSection; measured: number | undefined };

/** Loudness that the layers of a section have together at their levels in the plan, in LUFS. */
function plannedLoudness({ layers }: RenderSection): number {
  const powers = layers.map(({ stem, volumeDb }) => 10 ** ((STEM_LUFS[stem] + volumeDb) / 10));
  return 10 * Math.log10(powers.reduce((sum, power) => sum + power, 1e-12));
}

/** Integrated loudness of consecutive times with known loudness: the gated mean of their powers, by length. */
function combine(spans: readonly { seconds: number; lufs: number }[]): number {
  const mean = (gate: number): number => {
    const heard = spans.filter(({ lufs }) => lufs >= gate);
    const seconds = heard.reduce((sum, span) => sum + span.seconds, 0);
    return 10 * Math.log10(heard.reduce((sum, span) => sum + span.seconds * 10 ** (span.lufs / 10), 0) / seconds);
  };
  const ungated = mean(-Infinity);
  return mean(ungated - RELATIVE_GATE_LU);
}

/**
 * Returns the gain of the parts in decibels, from the sections of the mashup of which at least the first has been measured. The
 * others are expected to differ from it as their layers in the plan do.
 * @param spans all sections in order
 */
export function estimateGain(spans: readonly LevelSpan[]): number {
  const known = spans.filter(({ measured = SILENCE_LUFS }) => measured > SILENCE_LUFS);
  const errors = known.map(({ section, measured }) => measured! - plannedLoudness(section));
  const mean = errors.length === 0 ? 0 : errors.reduce((sum, one) => sum + one, 0) / errors.length;
  const error = COMMON_SHARE * mean;
  const whole = combine(
    spans.map(({ section, measured }) => ({
      seconds: section.end - section.start,
      lufs: measured !== undefined && measured > SILENCE_LUFS ? measured : plannedLoudness(section) + error,
    })),
  );
  const first = known[0]?.measured ?? whole;
  return TARGET_LUFS - Math.min(whole, first + MAX_QUIETER_LU);
}

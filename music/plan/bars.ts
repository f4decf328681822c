/** The bars of a plan: sections in order, on bars, one after the other. */
import type { Plan, PlanSection } from '../../schema.ts';
import { MAX_MENDED_GAP_BARS, MAX_SNAP_BARS } from './limits.ts';
import type { Findings } from './parse-plan.ts';

/** Times of a plan are kept to a tenth of a millisecond. */
const roundTime = (seconds: number): number => Math.round(seconds * 10_000) / 10_000;
/** Differences that are nothing but rounding. */
const ROUNDING_SEC = 0.006;

type Global = Plan['masterplan']['global'];

/** Tempo of a section: its own, or the mashup's. */
export function sectionBpm(global: Global, section: Pick<PlanSection, 'tempo_bpm'>): number {
  return section.tempo_bpm ?? global.targetBPM;
}

/** Length of a bar of a section in seconds. */
export function sectionBarSec(global: Global, section: Pick<PlanSection, 'tempo_bpm'>): number {
  return (60 / sectionBpm(global, section)) * global.timeSignature[0];
}

/** Lays sections of whole bars end to end from 0; `bars[i]` belongs to `sections[i]`. */
export function layOutBars(sections: readonly PlanSection[], bars: readonly number[], global: Global): PlanSection[] {
  let end = 0;
  return sections.map((section, index) => {
    const start = roundTime(end);
    end += (bars[index] ?? 1) * sectionBarSec(global, section);
    return { ...section, time_start_sec: start, duration_sec: roundTime(end - start) };
  });
}

/** Number of bars of each section, to the nearest whole. */
export function barsOf(sections: readonly PlanSection[], global: Global): number[] {
  return sections.map((section) => Math.max(1, Math.round(section.duration_sec / sectionBarSec(global, section))));
}

/**
 * Sorts the sections, closes small gaps and overlaps and moves boundaries to bars. Larger ones are faults; the sections
 * come back laid out in either case.
 */
export function putOnBars(plan: Plan, { faults, mended }: Findings): PlanSection[] {
  const { global, timeline: given } = plan.masterplan;
  const sections = given.toSorted((a, b) => a.time_start_sec - b.time_start_sec);
  if (sections.some((section, index) => section !== given[index]))
    mended.push('The sections were put in the order of their starts.');

  let end = 0;
  sections.forEach((section, index) => {
    const gap = section.time_start_sec - end;
    const barSec = sectionBarSec(global, section);
    const where = index === 0 ? 'before the first section' : `between the sections ${index} and ${index + 1}`;
    if (Math.abs(gap) > MAX_MENDED_GAP_BARS * barSec + ROUNDING_SEC)
      faults.push(
        gap > 0
          ? `There is a gap of ${gap.toFixed(2)} s ${where}: each section must start where the one before ends.`
          : `There is an overlap of ${(-gap).toFixed(2)} s ${where}: each section must start where the one before ends.`,
      );
    else if (Math.abs(gap) > ROUNDING_SEC)
      mended.push(`A ${gap > 0 ? 'gap' : 'overlap'} of ${Math.abs(gap).toFixed(2)} s ${where} was closed.`);
    end = section.time_start_sec + section.duration_sec;
  });

  const bars = barsOf(sections, global);
  sections.forEach((section, index) => {
    const barSec = sectionBarSec(global, section);
    const whole = (bars[index] ?? 1) * barSec;
    const off = Math.abs(section.duration_sec - whole);
    if (off > MAX_SNAP_BARS * barSec)
      faults.push(
        `Section ${index + 1} lasts ${section.duration_sec.toFixed(2)} s, which is ${(section.duration_sec / barSec).toFixed(2)} bars; ` +
          `a bar is ${barSec.toFixed(4)} s, so make it ${whole.toFixed(4)} s.`,
      );
    else if (off > ROUNDING_SEC) mended.push(`Section ${index + 1} was moved to ${bars[index]} whole bars.`);
  });
  return layOutBars(sections, bars, global);
}

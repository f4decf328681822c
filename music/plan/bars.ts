/** Section times: in order, on bar lines, without gaps. */
import type { Plan, PlanSection } from '../../schema.ts';
import type { PlanFindings } from './findings.ts';
import { MAX_CLOSED_GAP_BARS, MAX_SNAP_BARS } from './limits.ts';

/** Rounds to a tenth of a millisecond, the resolution of a plan. */
const roundTime = (seconds: number): number => Math.round(seconds * 10_000) / 10_000;
/** Differences up to this are rounding errors. */
const ROUNDING_SEC = 0.006;

type Global = Plan['masterplan']['global'];

/** Returns the tempo of a section: its own, or that of the mashup. */
export function sectionBpm(global: Global, section: Pick<PlanSection, 'tempo_bpm'>): number {
  return section.tempo_bpm ?? global.targetBPM;
}

/** Returns the length of a section's bar in seconds. */
export function sectionBarSec(global: Global, section: Pick<PlanSection, 'tempo_bpm'>): number {
  return (60 / sectionBpm(global, section)) * global.timeSignature[0];
}

/** Places sections of whole bars one after the other from 0. `bars[i]` is the number of bars of `sections[i]`. */
export function layOutBars(sections: readonly PlanSection[], bars: readonly number[], global: Global): PlanSection[] {
  let end = 0;
  return sections.map((section, index) => {
    const start = roundTime(end);
    end += (bars[index] ?? 1) * sectionBarSec(global, section);
    return { ...section, time_start_sec: start, duration_sec: roundTime(end - start) };
  });
}

/** Returns the number of bars of each section, rounded, at least 1. */
export function barsOf(sections: readonly PlanSection[], global: Global): number[] {
  return sections.map((section) => Math.max(1, Math.round(section.duration_sec / sectionBarSec(global, section))));
}

/**
 * Sorts the sections, closes small gaps and overlaps and moves boundaries to bar lines. Larger deviations are faults; the
 * returned sections are placed on bars in any case.
 */
export function snapToBars(plan: Plan, findings: PlanFindings): PlanSection[] {
  const { global, timeline } = plan.masterplan;
  const sections = [...timeline].sort((a, b) => a.time_start_sec - b.time_start_sec);
  if (sections.some((section, index) => section !== timeline[index]))
    findings.repairs.push('The sections were put in the order of their starts.');
  const bars = barsOf(sections, global);
  checkGaps(sections, global, findings);
  checkLengths(sections, bars, global, findings);
  return layOutBars(sections, bars, global);
}

function checkGaps(sections: readonly PlanSection[], global: Global, { faults, repairs }: PlanFindings): void {
  let end = 0;
  sections.forEach((section, index) => {
    const gap = section.time_start_sec - end;
    const where = index === 0 ? 'before the first section' : `between the sections ${index} and ${index + 1}`;
    if (Math.abs(gap) > MAX_CLOSED_GAP_BARS * sectionBarSec(global, section) + ROUNDING_SEC)
      faults.push(
        gap > 0
          ? `There is a gap of ${gap.toFixed(2)} s ${where}: each section must start where the one before ends.`
          : `There is an overlap of ${(-gap).toFixed(2)} s ${where}: each section must start where the one before ends.`,
      );
    else if (Math.abs(gap) > ROUNDING_SEC)
      repairs.push(`A ${gap > 0 ? 'gap' : 'overlap'} of ${Math.abs(gap).toFixed(2)} s ${where} was closed.`);
    end = section.time_start_sec + section.duration_sec;
  });
}

function checkLengths(
  sections: readonly PlanSection[],
  bars: readonly number[],
  global: Global,
  { faults, repairs }: PlanFindings,
): void {
  sections.forEach((section, index) => {
    const barSec = sectionBarSec(global, section);
    const whole = (bars[index] ?? 1) * barSec;
    const off = Math.abs(section.duration_sec - whole);
    if (off > MAX_SNAP_BARS * barSec)
      faults.push(
        `Section ${index + 1} lasts ${section.duration_sec.toFixed(2)} s, which is ${(section.duration_sec / barSec).toFixed(2)} bars; ` +
          `a bar is ${barSec.toFixed(4)} s, so make it ${whole.toFixed(4)} s.`,
      );
    else if (off > ROUNDING_SEC) repairs.push(`Section ${index + 1} was moved to ${bars[index]} whole bars.`);
  });
}

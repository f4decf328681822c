/** The arc of a mashup: which sections, how many bars each. */

export type SectionKind =
  | 'intro'
  | 'build'
  | 'drop'
  | 'verse'
  | 'break'
  | 'rise'
  | 'peak'
  | 'outro'
  // Of songs too far apart in tempo: where one is heard free over the other.
  | 'overture'
  | 'encounter'
  | 'answer';
export type ArcSection = { kind: SectionKind; bars: number; energy: number };

type Shape = { kind: SectionKind; share: number; energy: number };

const SHORT: readonly Shape[] = [
  { kind: 'intro', share: 4, energy: 0.25 },
  { kind: 'build', share: 4, energy: 0.5 },
  { kind: 'drop', share: 8, energy: 0.85 },
  { kind: 'break', share: 4, energy: 0.35 },
  { kind: 'peak', share: 8, energy: 1 },
  { kind: 'outro', share: 4, energy: 0.2 },
];
const LONG: readonly Shape[] = [
  { kind: 'intro', share: 4, energy: 0.25 },
  { kind: 'build', share: 8, energy: 0.5 },
  { kind: 'drop', share: 8, energy: 0.85 },
  { kind: 'verse', share: 8, energy: 0.6 },
  { kind: 'break', share: 4, energy: 0.3 },
  { kind: 'rise', share: 4, energy: 0.65 },
  { kind: 'peak', share: 12, energy: 1 },
  { kind: 'outro', share: 4, energy: 0.2 },
];
/** Two songs that no tempo suits: they meet where nobody drums, and each has its beat for itself in between. */
const APART: readonly Shape[] = [
  { kind: 'overture', share: 8, energy: 0.3 },
  { kind: 'build', share: 4, energy: 0.5 },
  { kind: 'drop', share: 8, energy: 0.8 },
  { kind: 'encounter', share: 8, energy: 0.35 },
  { kind: 'peak', share: 8, energy: 1 },
  { kind: 'answer', share: 8, energy: 0.25 },
];
/** From this many bars on there is room for the longer shape. */
const LONG_FROM_BARS = 56;
/** Nobody counts along beyond this; longer sections are two sections. */
const MAX_SECTION_BARS = 16;
/** Tiny songs allow only tiny sections; more of them than this is a stutter, not an arc. */
const MAX_ARC_SECTIONS = 30;

type ArcRequest = {
  /** Wanted, least and most bars of the whole. */
  bars: number;
  minBars: number;
  maxBars: number;
  /** Most bars that a section may have, so that no song runs out. */
  sectionCap: number;
  /** Sections are multiples of this where the length allows it. */
  unit: number;
  /** Whether the songs are too far apart in tempo to play to one beat. */
  apart: boolean;
};

/** Lays out the arc: intro, build, drop, break, peak, outro, and more where there is time. */
export function layOutArc(request: ArcRequest): ArcSection[] {
  const cap = Math.max(1, Math.min(MAX_SECTION_BARS, request.sectionCap));
  const most = Math.max(1, Math.min(request.maxBars, wholeBars(cap, request.unit) * MAX_ARC_SECTIONS));
  const least = Math.min(request.minBars, most);
  const wanted = Math.min(most, Math.max(least, request.bars));
  const shapes = request.apart ? APART : wanted >= LONG_FROM_BARS ? LONG : SHORT;
  const unit = fittingUnit(request.unit, wanted / shapes.length);
  const shares = shapes.reduce((sum, shape) => sum + shape.share, 0);
  const arc = shapes.map(({ kind, share, energy }) => ({
    kind,
    energy,
    bars: Math.max(unit, Math.round((share * wanted) / shares / unit) * unit),
  }));
  // Rounding to units may have left the whole longer or shorter than wanted.
  balance(arc, Math.max(least, wanted - Math.floor(unit / 2)), Math.min(most, wanted + Math.floor(unit / 2)), unit);
  return arc.flatMap((section) => split(section, cap, unit));
}

/** The wanted unit, or a smaller one where the average section would hardly hold it. */
function fittingUnit(unit: number, averageBars: number): number {
  let fitting = Math.max(1, Math.round(unit));
  while (fitting > 1 && fitting * 0.75 > averageBars) fitting = Math.floor(fitting / 2);
  return fitting;
}

/** Takes bars from the longest or gives to the peak until the whole lies within its limits. */
function balance(arc: ArcSection[], least: number, most: number, unit: number): void {
  const total = (): number => arc.reduce((sum, section) => sum + section.bars, 0);
  const longest = (): ArcSection | undefined => arc.toSorted((a, b) => b.bars - a.bars)[0];
  for (let excess = total() - most; excess > 0; excess = total() - most) {
    const section = longest();
    if (!section || section.bars <= 1) break;
    section.bars -= section.bars > unit && excess >= unit ? unit : 1;
  }
  while (total() > most && arc.length > 2) arc.splice(1, 1);
  const peak = arc.find((section) => section.kind === 'peak') ?? arc[0];
  while (peak && total() < least) peak.bars += Math.min(unit, most - total()) || 1;
}

/** The most bars up to a cap that are whole units, or the cap where it is smaller than one. */
function wholeBars(cap: number, unit: number): number {
  return cap >= unit ? Math.floor(cap / unit) * unit : cap;
}

function split(section: ArcSection, cap: number, unit: number): ArcSection[] {
  if (section.bars <= cap) return [section];
  const whole = wholeBars(cap, unit);
  const parts: ArcSection[] = [];
  for (let left = section.bars; left > 0; left -= whole) parts.push({ ...section, bars: Math.min(whole, left) });
  return parts;
}

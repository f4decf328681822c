/** The arc of a mashup: kinds, bars and energies of its sections. */

/** Kinds of sections. */
export type SectionKind =
  | 'intro'
  | 'build'
  | 'drop'
  | 'verse'
  | 'break'
  | 'rise'
  | 'peak'
  | 'outro'
  // For songs without a common tempo: sections where one is free over the other.
  | 'overture'
  | 'encounter'
  | 'answer';
/** A section of the arc. `energy` is 0..1. */
export type ArcSection = { kind: SectionKind; bars: number; energy: number };

/** `share`: relative length. */
type Shape = { kind: SectionKind; share: number; energy: number };

/** The arc of short mashups. */
const SHORT: readonly Shape[] = [
  { kind: 'intro', share: 4, energy: 0.25 },
  { kind: 'build', share: 4, energy: 0.5 },
  { kind: 'drop', share: 8, energy: 0.85 },
  { kind: 'break', share: 4, energy: 0.35 },
  { kind: 'peak', share: 8, energy: 1 },
  { kind: 'outro', share: 4, energy: 0.2 },
];
/** The arc of long mashups. */
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
/** The arc of songs without a common tempo: combined in sections without drums, and each with its own beat in between. */
const TWO_TEMPI: readonly Shape[] = [
  { kind: 'overture', share: 8, energy: 0.3 },
  { kind: 'build', share: 4, energy: 0.5 },
  { kind: 'drop', share: 8, energy: 0.8 },
  { kind: 'encounter', share: 8, energy: 0.35 },
  { kind: 'peak', share: 8, energy: 1 },
  { kind: 'answer', share: 8, energy: 0.25 },
];
/** Mashups of this many bars or more have the long arc. */
const LONG_FROM_BARS = 56;
/** Longer sections are split: listeners do not count further. */
const MAX_SECTION_BARS = 16;
/** Very short songs allow only very short sections: limits their number. */
const MAX_ARC_SECTIONS = 30;

type ArcRequest = {
  /** Wanted, minimum and maximum number of bars of the mashup. */
  bars: number;
  minBars: number;
  maxBars: number;
  /** Maximum number of bars of a section: no song is shorter. */
  sectionCap: number;
  /** Sections are multiples of this number of bars if the length allows it. */
  unit: number;
  /** Whether the songs have no common tempo. */
  twoTempi: boolean;
};

/** Returns the sections of the arc: intro, build, drop, break, peak, outro, and more in long mashups. */
export function layOutArc(request: ArcRequest): ArcSection[] {
  const cap = Math.max(1, Math.min(MAX_SECTION_BARS, request.sectionCap));
  const most = Math.max(1, Math.min(request.maxBars, wholeBars(cap, request.unit) * MAX_ARC_SECTIONS));
  const least = Math.min(request.minBars, most);
  const wanted = Math.min(most, Math.max(least, request.bars));
  const shapes = request.twoTempi ? TWO_TEMPI : wanted >= LONG_FROM_BARS ? LONG : SHORT;
  const unit = fittingUnit(request.unit, wanted / shapes.length);
  const shares = shapes.reduce((sum, shape) => sum + shape.share, 0);
  const arc = shapes.map(({ kind, share, energy }) => ({
    kind,
    energy,
    bars: Math.max(unit, Math.round((share * wanted) / shares / unit) * unit),
  }));
  // Rounding to units can make the mashup longer or shorter than wanted.
  balance(arc, Math.max(least, wanted - Math.floor(unit / 2)), Math.min(most, wanted + Math.floor(unit / 2)), unit);
  return arc.flatMap((section) => split(section, cap, unit));
}

/** Returns the wanted unit, or a smaller one if the average section is too short for it. */
function fittingUnit(unit: number, averageBars: number): number {
  let fitting = Math.max(1, Math.round(unit));
  while (fitting > 1 && fitting > averageBars) fitting = Math.floor(fitting / 2);
  return fitting;
}

/** Shortens the longest section or lengthens the peak until the sum is within its limits. */
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

/** Returns the largest multiple of a unit up to a cap, or the cap if it is smaller than a unit. */
function wholeBars(cap: number, unit: number): number {
  return cap >= unit ? Math.floor(cap / unit) * unit : cap;
}

/** Splits a section into parts of at most `cap` bars that are about equally long, and whole phrases where the section is. */
function split(section: ArcSection, cap: number, unit: number): ArcSection[] {
  if (section.bars <= cap) return [section];
  const whole = wholeBars(cap, unit);
  const step = whole % unit === 0 ? unit : 1;
  const count = Math.ceil(section.bars / whole);
  const parts: ArcSection[] = [];
  for (let left = section.bars; left > 0 && parts.length < count;) {
    const share = Math.ceil(left / (count - parts.length) / step) * step;
    const bars = Math.min(share, whole, left);
    parts.push({ ...section, bars });
    left -= bars;
  }
  return parts;
}

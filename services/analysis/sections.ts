/**
 * Song structure: section boundaries are where four bars differ from the four bars before them; similar segments share a label. Songs
 * consist of loops: within a section bar i resembles bar i - 4 whatever the chords between them. Therefore bars are compared at this
 * lag and not with their neighbours.
 */
import type { SongSection } from '../../schema.ts';
import type { BarFeatures } from './bar-features.ts';
import { cosine } from './per-beat.ts';
import { mean } from './statistics.ts';

/** Bars of a loop. */
const LOOP_BARS = 4;
const MIN_SECTION_BARS = 4;
/** Segments with a smaller distance share a label. */
const SAME_SECTION_DISTANCE = 0.13;
/** If the energies of verse and chorus differ by less, the earlier one is the verse. */
const CLEAR_ENERGY_LEAD = 0.03;
/** Minimum novelty of a boundary, and its minimum height above the lowest novelty within a loop on either side. */
const MIN_NOVELTY = 0.1;
const MIN_PROMINENCE = 0.05;
/** Weights of the features in the distance of two bars. */
const CHROMA_WEIGHT = 1;
const LEVEL_WEIGHT = 0.6;
const VOICE_WEIGHT = 0.4;

/** Consecutive bars between two boundaries. Segments of one group are similar. */
type Segment = { bars: BarFeatures[]; energy: number; voice: number; group: number };

/** Distance of two bars: 0 if they are equal, about 1 if they have nothing in common. */
function barDistance(a: BarFeatures, b: BarFeatures): number {
  const levels = [...a.bands.map((value, i) => Math.abs(value - b.bands[i]!)), Math.abs(a.energy - b.energy)];
  return (
    CHROMA_WEIGHT * (1 - cosine(a.chroma, b.chroma)) +
    LEVEL_WEIGHT * mean(levels) +
    VOICE_WEIGHT * Math.abs(a.voice - b.voice)
  );
}

/** Novelty of each bar: mean distance of the four bars from it on to the four bars before it. */
function novelty(bars: readonly BarFeatures[]): number[] {
  return bars.map((_, bar) => {
    if (bar < LOOP_BARS || bar > bars.length - 2) return 0;
    const distances: number[] = [];
    for (let k = 0; k < LOOP_BARS; k++) {
      const before = bars[bar - LOOP_BARS + k];
      const after = bars[bar + k];
      if (before && after) distances.push(barDistance(before, after));
    }
    return mean(distances);
  });
}

/** Mean distance of the bars of two segments, for the alignment of their loops with the smallest one. */
function segmentDistance(a: Segment, b: Segment): number {
  const length = Math.min(a.bars.length, b.bars.length);
  let smallest = Infinity;
  for (let shift = 0; shift < Math.min(LOOP_BARS, length); shift++) {
    const distances: number[] = [];
    for (let k = 0; k + shift < length; k++) distances.push(barDistance(a.bars[k + shift]!, b.bars[k]!));
    smallest = Math.min(smallest, mean(distances));
  }
  return smallest;
}

/** First bars of the sections: prominent peaks of the novelty, at least `MIN_SECTION_BARS` apart. Higher peaks take precedence. */
function boundaries(curve: readonly number[]): number[] {
  const prominence = (bar: number): number => {
    const left = curve.slice(Math.max(0, bar - LOOP_BARS), bar + 1);
    const right = curve.slice(bar, bar + LOOP_BARS + 1);
    return curve[bar]! - Math.max(Math.min(...left), Math.min(...right));
  };
  const peaks = curve
    .map((value, bar) => ({ value, bar }))
    .filter(({ value, bar }) => {
      const near = curve.slice(Math.max(0, bar - 2), bar + 3);
      return value >= MIN_NOVELTY && value === Math.max(...near) && prominence(bar) >= MIN_PROMINENCE;
    })
    .sort((a, b) => b.value - a.value);
  const chosen = [0];
  for (const { bar } of peaks) {
    const close = chosen.some((other) => Math.abs(other - bar) < MIN_SECTION_BARS);
    if (!close && curve.length - bar >= 2) chosen.push(bar);
  }
  return chosen.sort((a, b) => a - b);
}

/** Assigns the same group number to similar segments, in order of appearance. */
function assignGroups(segments: Segment[]): void {
  const firstOfGroup: Segment[] = [];
  for (const segment of segments) {
    const distances = firstOfGroup.map((first) => segmentDistance(first, segment));
    const nearest = Math.min(...distances);
    segment.group = nearest <= SAME_SECTION_DISTANCE ? distances.indexOf(nearest) : firstOfGroup.push(segment) - 1;
  }
}

/** Groups of the verse and the chorus: the two largest groups with voice. Undefined if there are fewer than two. */
function verseAndChorus(sung: readonly Segment[]): { verse?: number; chorus?: number } {
  const groups = [...new Set(sung.map((segment) => segment.group))];
  const energyOf = (index: number): number =>
    mean(sung.filter((segment) => segment.group === index).map(({ energy }) => energy));
  const barsOf = (index: number): number =>
    sung.reduce((sum, segment) => sum + (segment.group === index ? segment.bars.length : 0), 0);
  const largest = [...groups].sort((a, b) => barsOf(b) - barsOf(a)).slice(0, 2);
  const [first, second] = largest.sort((a, b) => groups.indexOf(a) - groups.indexOf(b));
  if (first === undefined || second === undefined) return {};
  const isSwapped = energyOf(first) > energyOf(second) + CLEAR_ENERGY_LEAD;
  return isSwapped ? { verse: second, chorus: first } : { verse: first, chorus: second };
}

/**
 * Labels of the segments. A quiet or voiceless first segment is the intro, a quiet or voiceless last one the outro, a voiceless one
 * between them a break. Of the two largest groups with voice, the more energetic one (the later one if their energies are similar) is
 * the chorus and the other the verse. All other segments have a letter for their group.
 */
function labelSegments(segments: readonly Segment[]): string[] {
  const letter = (segment: Segment): string => String.fromCharCode(65 + (segment.group % 26));
  const meanVoice = mean(segments.map(({ voice }) => voice));
  const meanEnergy = mean(segments.map(({ energy }) => energy));
  const sung = segments.filter(({ voice }) => voice >= 0.6 * meanVoice && voice > 0.15);
  const { verse, chorus } = verseAndChorus(sung);
  return segments.map((segment, i) => {
    const isVoiceless = !sung.includes(segment);
    const isFaint = isVoiceless || segment.energy < 0.8 * meanEnergy;
    if (segments.length < 3) return letter(segment);
    if (i === 0 && isFaint) return 'intro';
    if (i === segments.length - 1 && isFaint) return 'outro';
    if (isVoiceless) return 'break';
    if (segment.group === chorus) return 'chorus';
    if (segment.group === verse) return 'verse';
    return letter(segment);
  });
}

/** Finds and labels the sections of a song. They cover all bars without gaps; empty without bars. */
export function findSections(bars: readonly BarFeatures[]): SongSection[] {
  if (bars.length === 0) return [];
  const starts = boundaries(novelty(bars));
  const segments = starts.map((start, i): Segment => {
    const inside = bars.slice(start, starts[i + 1] ?? bars.length);
    return {
      bars: inside,
      energy: mean(inside.map(({ energy }) => energy)),
      voice: mean(inside.map(({ voice }) => voice)),
      group: 0,
    };
  });
  assignGroups(segments);
  const labels = labelSegments(segments);
  return segments.map((segment, i) => ({
    start_sec: segment.bars[0]!.start_sec,
    end_sec: segment.bars.at(-1)!.end_sec,
    label: labels[i]!,
    energy: segment.energy,
    vocal_presence: segment.voice,
  }));
}

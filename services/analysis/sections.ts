/**
 * Sections: where four bars differ from the four bars before them, and which stretches are alike. Songs loop: inside a section bar i
 * resembles bar i - 4, whatever the chords in between, so that likeness is taken along this lag and not between neighbours.
 */
import type { SongSection } from '../../schema.ts';
import { cosine } from './per-beat.ts';

/** Bars of a loop. */
const LOOP_BARS = 4;
const MIN_SECTION_BARS = 4;
/** Stretches whose bars differ less than this share a label. */
const SAME_SECTION_DISTANCE = 0.13;
/** Sung groups whose energies differ by less are told apart by order: the verse comes first. */
const CLEAR_ENERGY_LEAD = 0.03;
/** A boundary's novelty, and how far it rises above the lowest within a loop on either side. */
const MIN_NOVELTY = 0.1;
const MIN_PROMINENCE = 0.05;
/** Weights of the parts of a bar's description in the distance of two bars. */
const CHROMA_WEIGHT = 1;
const LEVEL_WEIGHT = 0.6;
const VOICE_WEIGHT = 0.4;

/** What is known of one bar. `energy` and `voice` are 0..1. */
export type BarFeatures = {
  start_sec: number;
  end_sec: number;
  chroma: number[];
  bands: number[];
  energy: number;
  voice: number;
};

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** How much two bars differ: 0 for equal ones, about 1 for ones with nothing in common. */
function barDistance(a: BarFeatures, b: BarFeatures): number {
  const levels = [...a.bands.map((value, i) => Math.abs(value - b.bands[i]!)), Math.abs(a.energy - b.energy)];
  return (
    CHROMA_WEIGHT * (1 - cosine(a.chroma, b.chroma)) +
    LEVEL_WEIGHT * mean(levels) +
    VOICE_WEIGHT * Math.abs(a.voice - b.voice)
  );
}

/** Mean distance of the bars from `bar` on to those one loop before. */
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

/** Smallest mean distance of two stretches over the ways of laying their loops on each other. */
function stretchDistance(a: Stretch, b: Stretch): number {
  const length = Math.min(a.bars.length, b.bars.length);
  let smallest = Infinity;
  for (let shift = 0; shift < Math.min(LOOP_BARS, length); shift++) {
    const distances: number[] = [];
    for (let k = 0; k + shift < length; k++) distances.push(barDistance(a.bars[k + shift]!, b.bars[k]!));
    smallest = Math.min(smallest, mean(distances));
  }
  return smallest;
}

/** First bars of the sections: prominent peaks of novelty, at least `MIN_SECTION_BARS` apart, best first. */
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

type Stretch = { bars: BarFeatures[]; energy: number; voice: number; group: number };

/** Gives like stretches the same group number, in order of appearance. */
function group(stretches: Stretch[]): void {
  const leaders: Stretch[] = [];
  for (const stretch of stretches) {
    const distances = leaders.map((leader) => stretchDistance(leader, stretch));
    const nearest = Math.min(...distances);
    stretch.group = nearest <= SAME_SECTION_DISTANCE ? distances.indexOf(nearest) : leaders.push(stretch) - 1;
  }
}

/**
 * Names: a first stretch without voice is the intro, a quiet or voiceless last one the outro, a voiceless one between is a break;
 * of the two largest sung groups the more energetic one (or the later, if they are alike in energy) is the chorus, the other the verse. What none of this fits keeps a letter.
 */
function labels(stretches: readonly Stretch[]): string[] {
  const letter = (stretch: Stretch): string => String.fromCharCode(65 + (stretch.group % 26));
  const meanVoice = mean(stretches.map(({ voice }) => voice));
  const meanEnergy = mean(stretches.map(({ energy }) => energy));
  const sung = stretches.filter(({ voice }) => voice >= 0.6 * meanVoice && voice > 0.15);
  const groups = [...new Set(sung.map((stretch) => stretch.group))];
  const energyOf = (index: number): number =>
    mean(sung.filter((stretch) => stretch.group === index).map(({ energy }) => energy));
  const barsOf = (index: number): number =>
    sung.reduce((sum, stretch) => sum + (stretch.group === index ? stretch.bars.length : 0), 0);
  const largest = [...groups].sort((a, b) => barsOf(b) - barsOf(a)).slice(0, 2);
  const [first, second] = largest.sort((a, b) => groups.indexOf(a) - groups.indexOf(b));
  const swapped = first !== undefined && second !== undefined && energyOf(first) > energyOf(second) + CLEAR_ENERGY_LEAD;
  const [verse, chorus] = second === undefined ? [] : swapped ? [second, first] : [first, second];
  return stretches.map((stretch, i) => {
    const voiceless = !sung.includes(stretch);
    const last = i === stretches.length - 1;
    if (stretches.length < 3) return letter(stretch);
    if (i === 0 && (voiceless || stretch.energy < 0.8 * meanEnergy)) return 'intro';
    if (last && (voiceless || stretch.energy < 0.8 * meanEnergy)) return 'outro';
    if (voiceless) return 'break';
    if (stretch.group === chorus) return 'chorus';
    if (stretch.group === verse) return 'verse';
    return letter(stretch);
  });
}

/** Sections of a song from its bars, covering [first bar, end of the last bar). Empty without bars. */
export function findSections(bars: readonly BarFeatures[]): SongSection[] {
  if (bars.length === 0) return [];
  const starts = boundaries(novelty(bars));
  const stretches = starts.map((start, i): Stretch => {
    const inside = bars.slice(start, starts[i + 1] ?? bars.length);
    return {
      bars: inside,
      energy: mean(inside.map(({ energy }) => energy)),
      voice: mean(inside.map(({ voice }) => voice)),
      group: 0,
    };
  });
  group(stretches);
  const names = labels(stretches);
  return stretches.map((stretch, i) => ({
    start_sec: stretch.bars[0]!.start_sec,
    end_sec: stretch.bars.at(-1)!.end_sec,
    label: names[i]!,
    energy: stretch.energy,
    vocal_presence: stretch.voice,
  }));
}

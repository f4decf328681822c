/** Sections: where the bars of a song change their character, and which stretches are alike (Foote 2000). */
import type { SongSection } from '../../schema.ts';
import { cosine } from './per-beat.ts';

/** Bars on each side that a boundary is judged by. */
const KERNEL_BARS = 4;
const MIN_SECTION_BARS = 4;
/** Stretches at least this much alike share a label. */
const SAME_SECTION_LIKENESS = 0.9;
/** A boundary must stand out of the mean novelty by this many standard deviations. */
const NOVELTY_THRESHOLD = 0.6;

/** What is known of one bar. `energy` and `voice` are 0..1. */
export type BarFeatures = {
  start_sec: number;
  end_sec: number;
  chroma: number[];
  bands: number[];
  energy: number;
  voice: number;
};

function barVector({ chroma, bands, energy, voice }: BarFeatures): number[] {
  const norm = Math.sqrt(chroma.reduce((sum, value) => sum + value * value, 0)) || 1;
  return [...chroma.map((value) => value / norm), ...bands.map((value) => 0.8 * value), 1.2 * energy, 0.8 * voice];
}

/** Likeness within the stretches before and after each bar minus likeness across it. */
function novelty(vectors: readonly number[][]): number[] {
  return vectors.map((_, bar) => {
    if (bar < 2 || bar > vectors.length - 2) return 0;
    let [within, withins, across, acrosses] = [0, 0, 0, 0];
    const from = Math.max(0, bar - KERNEL_BARS);
    const to = Math.min(vectors.length, bar + KERNEL_BARS);
    for (let i = from; i < to; i++) {
      for (let j = from; j < i; j++) {
        const likeness = cosine(vectors[i]!, vectors[j]!);
        if (i < bar === j < bar) [within, withins] = [within + likeness, withins + 1];
        else [across, acrosses] = [across + likeness, acrosses + 1];
      }
    }
    return within / Math.max(1, withins) - across / Math.max(1, acrosses);
  });
}

/** First bars of the sections: peaks of novelty, at least `MIN_SECTION_BARS` apart, best first. */
function boundaries(curve: readonly number[]): number[] {
  const mean = curve.reduce((sum, value) => sum + value, 0) / Math.max(1, curve.length);
  const deviation = Math.sqrt(curve.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, curve.length));
  const peaks = curve
    .map((value, bar) => ({ value, bar }))
    .filter(
      ({ value, bar }) =>
        value > mean + NOVELTY_THRESHOLD * deviation && value >= (curve[bar - 1] ?? 0) && value > (curve[bar + 1] ?? 0),
    )
    .sort((a, b) => b.value - a.value);
  const chosen = [0];
  for (const { bar } of peaks) {
    const close = chosen.some((other) => Math.abs(other - bar) < MIN_SECTION_BARS);
    if (!close && curve.length - bar >= 2) chosen.push(bar);
  }
  return chosen.sort((a, b) => a - b);
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

type Stretch = { bars: BarFeatures[]; vector: number[]; energy: number; voice: number; group: number };

/** Gives like stretches the same group number, in order of appearance. */
function group(stretches: Stretch[]): void {
  const leaders: Stretch[] = [];
  for (const stretch of stretches) {
    const index = leaders.findIndex((leader) => cosine(leader.vector, stretch.vector) >= SAME_SECTION_LIKENESS);
    stretch.group = index >= 0 ? index : leaders.push(stretch) - 1;
  }
}

/**
 * Names: a first stretch without voice is the intro, a quiet or voiceless last one the outro, a voiceless one between is a break;
 * of the sung groups the most energetic is the chorus and another the verse. What none of this fits keeps a letter.
 */
function labels(stretches: readonly Stretch[]): string[] {
  const letter = (stretch: Stretch): string => String.fromCharCode(65 + (stretch.group % 26));
  const meanVoice = mean(stretches.map(({ voice }) => voice));
  const meanEnergy = mean(stretches.map(({ energy }) => energy));
  const sung = stretches.filter(({ voice }) => voice >= 0.6 * meanVoice && voice > 0.15);
  const groups = [...new Set(sung.map((stretch) => stretch.group))];
  const energyOf = (index: number): number =>
    mean(sung.filter((stretch) => stretch.group === index).map(({ energy }) => energy));
  const ranked = groups.sort((a, b) => energyOf(b) - energyOf(a));
  return stretches.map((stretch, i) => {
    const voiceless = !sung.includes(stretch);
    const last = i === stretches.length - 1;
    if (stretches.length < 3) return letter(stretch);
    if (i === 0 && (voiceless || stretch.energy < 0.8 * meanEnergy)) return 'intro';
    if (last && (voiceless || stretch.energy < 0.8 * meanEnergy)) return 'outro';
    if (voiceless) return 'break';
    if (ranked.length >= 2 && stretch.group === ranked[0]) return 'chorus';
    if (ranked.length >= 2 && stretch.group === ranked[1]) return 'verse';
    return letter(stretch);
  });
}

/** Sections of a song from its bars, covering [first bar, end of the last bar). Empty without bars. */
export function findSections(bars: readonly BarFeatures[]): SongSection[] {
  if (bars.length === 0) return [];
  const vectors = bars.map(barVector);
  const starts = boundaries(novelty(vectors));
  const stretches = starts.map((start, i): Stretch => {
    const inside = bars.slice(start, starts[i + 1] ?? bars.length);
    const rows = vectors.slice(start, starts[i + 1] ?? bars.length);
    return {
      bars: inside,
      vector: rows[0]!.map((_, k) => mean(rows.map((row) => row[k]!))),
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

/** Which section of a plan corresponds to which section of another version of it. */
import type { PlanSection } from '../../../schema.ts';

/** Positions of corresponding sections; one of them is undefined for a section that is only in one of the plans. */
export type AlignedPair = { before: number | undefined; after: number | undefined };

/** Cost of a section without a counterpart. Two of them cost more than any pair whose stems agree. */
const GAP_COST = 0.65;
/** Shares of the cost of a pair: songs and stems, stems alone, energy, length, places in the songs. */
const WEIGHTS = { layers: 0.55, stems: 0.45, energy: 0.15, length: 0.15, places: 0.1 };

/** Jaccard distance of two sets: 0 if they are equal, 1 if they have nothing in common. */
function distance(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const common = [...a].filter((each) => b.has(each)).length;
  const all = a.size + b.size - common;
  return all === 0 ? 0 : 1 - common / all;
}

const layersOf = ({ layers }: PlanSection): Set<string> =>
  new Set(layers.map(({ songId, stem }) => `${songId} ${stem}`));
const stemsOf = ({ layers }: PlanSection): Set<string> => new Set(layers.map(({ stem }) => stem));
const placesOf = ({ layers }: PlanSection): Set<string> =>
  new Set(layers.map(({ songId, source_start_sec: at }) => `${songId} ${at === undefined ? '' : Math.round(at)}`));

/** How much two sections differ: 0 if they are equal. */
function costOf(a: PlanSection, b: PlanSection): number {
  const [shorter, longer] = [a.duration_sec, b.duration_sec].toSorted((x, y) => x - y);
  return (
    WEIGHTS.layers * distance(layersOf(a), layersOf(b)) +
    WEIGHTS.stems * distance(stemsOf(a), stemsOf(b)) +
    WEIGHTS.energy * Math.abs(a.energy_level - b.energy_level) +
    WEIGHTS.length * (1 - shorter! / longer!) +
    WEIGHTS.places * distance(placesOf(a), placesOf(b))
  );
}

/** Pairs the sections of two timelines in their order, with the least sum of differences (as Needleman and Wunsch, 1970). */
export function alignSections(before: readonly PlanSection[], after: readonly PlanSection[]): AlignedPair[] {
  const [n, m] = [before.length, after.length];
  const costs = before.map((a) => after.map((b) => costOf(a, b)));
  // `best[i][j]`: least cost of the sections from i and j on.
  const best = Array.from({ length: n + 1 }, () => new Array<number>(m + 1).fill(0));
  for (let i = n; i >= 0; i--)
    for (let j = m; j >= 0; j--) {
      if (i === n || j === m) best[i]![j] = (n - i + m - j) * GAP_COST;
      else
        best[i]![j] = Math.min(
          costs[i]![j]! + best[i + 1]![j + 1]!,
          GAP_COST + best[i + 1]![j]!,
          GAP_COST + best[i]![j + 1]!,
        );
    }
  const pairs: AlignedPair[] = [];
  for (let i = 0, j = 0; i < n || j < m;) {
    const isPair = i < n && j < m && best[i]![j] === costs[i]![j]! + best[i + 1]![j + 1]!;
    if (isPair) pairs.push({ before: i++, after: j++ });
    else if (i < n && (j === m || best[i]![j] === GAP_COST + best[i + 1]![j]!))
      pairs.push({ before: i++, after: undefined });
    else pairs.push({ before: undefined, after: j++ });
  }
  return pairs;
}

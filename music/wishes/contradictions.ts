/** Wishes that exclude each other: `more bass but less bass`. None of them is a wish then. */
import type { Wish } from '../../schema.ts';

type Kind = Wish['kind'];
type Of<K extends Kind> = Extract<Wish, { kind: K }>;

/** Whether two wishes are about the same stem of the same song. */
const isSamePart = (a: { stem?: string; song_id?: string }, b: { stem?: string; song_id?: string }): boolean =>
  a.stem === b.stem && a.song_id === b.song_id;

/** Kinds of which two wishes exclude each other, and when. Two wishes of another kind never do. */
const WITHIN: { readonly [K in Kind]?: (a: Of<K>, b: Of<K>) => boolean } = {
  source: (a, b) => a.stem === b.stem && a.song_id !== b.song_id,
  edge: (a, b) => a.edge === b.edge && [a.sound, b.sound].includes('loud') && [a.sound, b.sound].includes('quiet'),
  edge_part: (a, b) => a.edge === b.edge && isSamePart(a, b) && (a.how === 'without') !== (b.how === 'without'),
  drop: (a, b) => a.change !== b.change,
  length: (a, b) => a.change !== b.change,
  length_exact: (a, b) => a.sec !== b.sec,
  tempo: (a, b) => a.change !== b.change,
  tempo_exact: (a, b) => a.bpm !== b.bpm,
  key: (a, b) => a.semitones + b.semitones === 0,
  key_exact: (a, b) => a.key !== b.key,
  level: (a, b) => isSamePart(a, b) && a.change !== b.change,
  effect: (a, b) => a.effect === b.effect && isSamePart(a, b) && (a.change === 'more') !== (b.change === 'more'),
  transitions: (a, b) => a.change !== b.change,
  sections: (a, b) => a.change !== b.change,
  sections_exact: (a, b) => a.count !== b.count,
  energy: (a, b) => a.change !== b.change,
};

/** What may not change if it is to be kept. */
const KEPT: Record<Of<'keep'>['what'], readonly Kind[]> = {
  tempo: ['tempo', 'tempo_exact'],
  key: ['key', 'key_exact'],
  length: ['length', 'length_exact'],
};

/** Whether the first wish excludes the second one, which is of another kind. */
function excludes(first: Wish, second: Wish): boolean {
  if (first.kind === 'keep') return KEPT[first.what].includes(second.kind);
  if (first.kind !== 'without') return false;
  if (second.kind === 'level') return second.change === 'more' && isSamePart(first, second);
  return (
    second.kind === 'source' &&
    second.stem === first.stem &&
    (first.song_id === undefined || first.song_id === second.song_id)
  );
}

function contradict(a: Wish, b: Wish): boolean {
  if (a.kind !== b.kind) return excludes(a, b) || excludes(b, a);
  const isContrary = WITHIN[a.kind] as ((a: Wish, b: Wish) => boolean) | undefined;
  return isContrary?.(a, b) === true;
}

/** Returns the wishes that another one excludes. */
export const contradictoryWishes = (wishes: readonly Wish[]): Set<Wish> =>
  new Set(wishes.filter((wish) => wishes.some((other) => contradict(wish, other))));

/** Tempo and key of a plan. */
import type { AnalyzedSong, Plan, Wish } from '../../schema.ts';
import { barsOf, layOutBars, sectionBpm } from '../plan/bars.ts';
import { shiftsInKey } from '../plan/key-shifts.ts';
import { songBars } from '../theory/bars.ts';
import { displayKey, formatKey, parseKey, transposeKey } from '../theory/keys.ts';
import { AUDIBLE_TEMPO_CHANGE, canMatchTempo, matchTempo, tempoChange as stretchOf } from '../theory/tempo.ts';
import { quoteSong, type EditResult, type RevisionContext } from './plan-edits.ts';

type ByTempoWish = Extract<Wish, { kind: 'tempo' }>;
type TempoWish = ByTempoWish | Extract<Wish, { kind: 'tempo_exact' }>;
type KeyWish = Extract<Wish, { kind: 'key' | 'key_exact' }>;

/** Steps of `slower` and `faster`: the largest that all songs reach is used. Smaller ones than the last are inaudible. */
const TEMPO_STEPS = {
  little: [0.03, 0.02],
  usual: [0.06, 0.05, 0.04, 0.03, 0.02],
  much: [0.12, 0.1, 0.08, 0.06, 0.04, 0.02],
} as const;
const [MIN_BPM, MAX_BPM] = [40, 240];

/** Returns the tempo after the largest step at which every song on the beat reaches the tempo of its sections. */
function stepTempo({ masterplan }: Plan, { change, degree }: ByTempoWish, songs: readonly AnalyzedSong[]): number {
  const direction = change === 'faster' ? 1 : -1;
  const steps = TEMPO_STEPS[degree ?? 'usual'];
  const isInReach = (step: number): boolean =>
    masterplan.timeline.every((section) =>
      section.layers.every((layer) => {
        const song = songs.find((each) => each.song_id === layer.songId);
        const bpm = sectionBpm(masterplan.global, section) * (1 + direction * step);
        return layer.timing === 'free' || !song || canMatchTempo(songBars(song.analysis).bpm, bpm);
      }),
    );
  return masterplan.global.targetBPM * (1 + direction * (steps.find(isInReach) ?? steps[0]));
}

/** Returns the change of a tempo in bpm that a wish names, negative for slower; undefined if it names no amount. */
export function tempoChange({ change, by_bpm, by_percent }: ByTempoWish, bpm: number): number | undefined {
  const by = by_percent === undefined ? by_bpm : (bpm * by_percent) / 100;
  return by !== undefined && change === 'slower' ? -by : by;
}

function targetOf(plan: Plan, wish: TempoWish, songs: readonly AnalyzedSong[]): number {
  if (wish.kind === 'tempo_exact') return wish.bpm;
  const { targetBPM } = plan.masterplan.global;
  const by = tempoChange(wish, targetBPM);
  return by === undefined ? stepTempo(plan, wish, songs) : targetBPM + by;
}

/** Changes the tempo. The number of bars stays. */
export function changeTempo(plan: Plan, wish: TempoWish, { songs }: RevisionContext): EditResult {
  const { global, timeline } = plan.masterplan;
  const bars = barsOf(timeline, global);
  const targetBPM = Math.round(targetOf(plan, wish, songs) * 10) / 10;
  if (targetBPM < MIN_BPM || targetBPM > MAX_BPM)
    return { cannot: `${targetBPM} bpm is no tempo for a mashup (${MIN_BPM} to ${MAX_BPM}).` };
  const { multiple } = matchTempo(global.targetBPM, targetBPM);
  if (wish.kind === 'tempo' && multiple !== 1)
    return {
      cannot: `At ${targetBPM} bpm ${multiple < 1 ? 'half' : 'twice'} as many beats would be counted, and the songs would sound no ${wish.change}.`,
    };
  const changed = { ...global, targetBPM };
  // Sections with their own tempo keep its ratio to the main tempo.
  const moved = timeline.map((section) =>
    section.tempo_bpm === undefined
      ? section
      : { ...section, tempo_bpm: Math.round(((section.tempo_bpm * targetBPM) / global.targetBPM) * 10) / 10 },
  );
  return {
    plan: {
      ...plan,
      masterplan: { ...plan.masterplan, global: changed, timeline: layOutBars(moved, bars, changed) },
    },
    change: `The tempo went from ${global.targetBPM} to ${targetBPM} bpm.`,
  };
}

/** Says which song does not reach the tempo of a section in which it plays on the beat; undefined if all do. */
export function outOfReach({ masterplan }: Plan, songs: readonly AnalyzedSong[]): string | undefined {
  const { global, timeline } = masterplan;
  const changes = timeline.flatMap((section) =>
    section.layers.flatMap(({ songId, timing }) => {
      const song = songs.find((each) => each.song_id === songId);
      const own = song && songBars(song.analysis).bpm;
      const bpm = sectionBpm(global, section);
      return !own || timing === 'free' || canMatchTempo(own, bpm) ? [] : [{ songId, change: stretchOf(own, bpm) }];
    }),
  );
  const [worst] = changes.toSorted((a, b) => b.change - a.change);
  if (!worst) return undefined;
  const [by, most] = [worst.change, AUDIBLE_TEMPO_CHANGE].map((share) => Math.round(share * 100));
  return `${quoteSong(songs, worst.songId)} would be stretched by ${by} %, and over ${most} % is heard by everyone.`;
}

/** Changes the key. */
export function changeKey(plan: Plan, wish: KeyWish): EditResult {
  const from = parseKey(plan.masterplan.global.targetKey);
  const key = wish.kind === 'key_exact' ? parseKey(wish.key) : from && transposeKey(from, wish.semitones);
  if (!key)
    return { cannot: wish.kind === 'key_exact' ? `"${wish.key}" is no key.` : 'The key of the mashup is not known.' };
  const { shifts: before, ...global } = plan.masterplan.global;
  const shifts = shiftsInKey(before, from, key);
  const changed = { ...global, targetKey: formatKey(key), ...(shifts && { shifts }) };
  return {
    plan: { ...plan, masterplan: { ...plan.masterplan, global: changed } },
    change: `The mashup is in ${displayKey(key)} now.`,
  };
}

/** What a first hearing changes: another shift, another place in the bar. Other bars are found in rephrase.ts. */
import { check } from '../quality/checks.ts';
import { type Findings, rankOf } from '../quality/check-layers.ts';
import type { RenderPlan } from '../plan/plan.ts';
import type { RenderSong } from '../song/song.ts';
import { MAX_VOICE_SHIFT, type Tuning } from '../plan/tuning.ts';

/** Another shift must fit this much better to be worth a second rendering. */
const WORTH_A_SHIFT = 0.03;
/** What a semitone of moving costs, in likeness. A choice. */
const COST_OF_MOVING = 0.005;

/** Another way of playing the plan: other shifts and places, and where those do not help, another plan. */
export type Correction = { tuning: Tuning; plan?: RenderPlan; words: string[] };

/** The tuning that should pass where the first did not; undefined where nothing can be done. */
export function correct(
  tuning: Tuning,
  findings: Findings,
  songs: ReadonlyMap<string, RenderSong>,
): Correction | undefined {
  const words: string[] = [];
  const semitones = new Map(tuning.semitones);
  const beats = new Map(tuning.beats);
  const move = bestMove(findings.harmony, semitones);
  if (move)
    for (const id of semitones.keys()) {
      const by = id === move.singer ? move.voice : move.others;
      if (by === 0) continue;
      const before = semitones.get(id)!;
      semitones.set(id, before + by);
      words.push(`"${songs.get(id)!.name}" was shifted by ${before + by} instead of ${before} semitones.`);
    }
  for (const [id, phase] of findings.phase) {
    if (phase === 0) continue;
    beats.set(id, (beats.get(id) ?? 0) + phase);
    words.push(`"${songs.get(id)!.name}" was moved by ${phase} beats to meet the metre.`);
  }
  return words.length > 0 ? { tuning: { ...tuning, semitones, beats }, words } : undefined;
}

/** Whether a voice fits the notes under it, by its likeness for each raise. */
export const isInTune = (likeness: readonly number[]): boolean =>
  check('harmony', likeness[0]!).passed && check('harmony_rank', rankOf(likeness)).passed;

/** A ring of values, one a semitone, begun `by` places later. */
export const turned = (ring: readonly number[], by: number): number[] =>
  ring.map((_, i) => ring[(((i + by) % ring.length) + ring.length) % ring.length]!);

type Move = { voice: number; others: number; cost: number };

/**
 * Semitones by which one song and all others are moved, so that the one is `raise` higher against them than now; undefined where that
 * is out of reach. The songs under a voice bear a move better than the voice.
 */
export function cheapestMove(raise: number, singer: string, now: ReadonlyMap<string, number>): Move | undefined {
  const inReach = (shift: number, by: number): boolean =>
    Math.abs(shift + by) <= Math.max(MAX_VOICE_SHIFT, Math.abs(shift));
  const others = [...now].filter(([id]) => id !== singer).map(([, shift]) => shift);
  let best: Move | undefined;
  for (let voice = -6; voice <= 6; voice++) {
    if (!inReach(now.get(singer) ?? 0, voice)) continue;
    for (let other = -6; other <= 6; other++) {
      if ((voice - other - raise) % 12 !== 0 || !others.every((shift) => inReach(shift, other))) continue;
      const cost = COST_OF_MOVING * (Math.abs(voice) + 0.8 * Math.abs(other));
      if (!best || cost < best.cost) best = { voice, others: other, cost };
    }
  }
  return best;
}

/** The move of one singer with which more voices pass than now, and the least fitting fits best; undefined where none is worth it. */
function bestMove(
  harmony: ReadonlyMap<string, number[]>,
  semitones: ReadonlyMap<string, number>,
): (Move & { singer: string }) | undefined {
  const passing = [...harmony.values()].filter(isInTune).length;
  let best: (Move & { singer: string; passing: number; fit: number }) | undefined;
  for (const [singer, likeness] of harmony) {
    if (isInTune(likeness)) continue;
    for (let raise = 1; raise < likeness.length; raise++) {
      const move = cheapestMove(raise, singer, semitones);
      if (!move) continue;
      // Of two songs, what raises one voice over the other's notes lowers the other's voice over its own.
      const after = [...harmony].map(([id, values]) =>
        id === singer ? turned(values, raise) : semitones.size === 2 ? turned(values, -raise) : values,
      );
      // What would not pass either is not worth leaving the key that was asked for.
      const then = after.filter(isInTune).length;
      if (then <= passing || !isInTune(turned(likeness, raise))) continue;
      const fit = Math.min(...after.map((values) => values[0]!)) - move.cost;
      if (best && (then < best.passing || (then === best.passing && fit <= best.fit))) continue;
      if (likeness[raise]! - move.cost > likeness[0]! + WORTH_A_SHIFT) best = { ...move, singer, passing: then, fit };
    }
  }
  return best;
}

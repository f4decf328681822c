/** What a first hearing changes: another shift, another place in the bar. Other bars are found in rephrase.ts. */
import { check } from './ear/checks.ts';
import { type Findings, rankOf } from './ear/judge-layers.ts';
import type { RenderSong } from './song.ts';
import { MAX_VOICE_SHIFT, type Tuning } from './tuning.ts';

/** Another shift must fit this much better to be worth a second rendering. */
const WORTH_A_SHIFT = 0.03;
/** What a semitone of moving costs, in likeness. A choice. */
const COST_OF_MOVING = 0.005;

export type Correction = { tuning: Tuning; words: string[] };

/** The tuning that should pass where the first did not; undefined where nothing can be done. */
export function correct(
  tuning: Tuning,
  findings: Findings,
  songs: ReadonlyMap<string, RenderSong>,
): Correction | undefined {
  const words: string[] = [];
  const semitones = new Map(tuning.semitones);
  const beats = new Map(tuning.beats);
  // One singer is corrected: the songs under it may move as well, and with them what another sings.
  const [failing] = [...findings.harmony].filter(([, likeness]) => !isInTune(likeness));
  if (failing) {
    const [singer, likeness] = failing;
    const move = bestMove(likeness, semitones.get(singer) ?? 0, othersOf(singer, semitones));
    for (const id of semitones.keys()) {
      const by = id === singer ? move.voice : move.others;
      if (by === 0) continue;
      const before = semitones.get(id)!;
      semitones.set(id, before + by);
      words.push(`"${songs.get(id)!.name}" was shifted by ${before + by} instead of ${before} semitones.`);
    }
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

/** Shifts of the other songs. */
const othersOf = (singer: string, semitones: ReadonlyMap<string, number>): number[] =>
  [...semitones].filter(([id]) => id !== singer).map(([, shift]) => shift);

/**
 * Semitones to move the singer and all others by, so that the voice fits best; none where nothing in reach is worth it. Of moves
 * that fit as well the smallest is taken, and the songs under the voice bear one better than the voice.
 */
function bestMove(
  likeness: readonly number[],
  voiceNow: number,
  othersNow: readonly number[],
): { voice: number; others: number } {
  const reach = (now: number): number => Math.max(MAX_VOICE_SHIFT, Math.abs(now));
  const moves = Array.from({ length: 13 }, (_, i) => i - 6);
  let best = { voice: 0, others: 0 };
  let bestFit = likeness[0]! + WORTH_A_SHIFT;
  for (const voice of moves) {
    if (Math.abs(voiceNow + voice) > reach(voiceNow)) continue;
    for (const others of moves) {
      if (othersNow.some((now) => Math.abs(now + others) > reach(now))) continue;
      const raise = (((voice - others) % 12) + 12) % 12;
      // What would not pass either is not worth leaving the key that was asked for.
      if (!isInTune([...likeness.slice(raise), ...likeness.slice(0, raise)])) continue;
      const fit = likeness[raise]! - COST_OF_MOVING * (Math.abs(voice) + 0.8 * Math.abs(others));
      if (fit > bestFit) {
        best = { voice, others };
        bestFit = fit;
      }
    }
  }
  return best;
}

/** What a first hearing changes: another shift, another place in the bar. */
import { check } from './ear/checks.ts';
import { type Findings, rankOf } from './ear/judge-layers.ts';
import type { RenderSong } from './song.ts';
import { MAX_VOICE_SHIFT, type Tuning } from './tuning.ts';

/** Another shift must fit this much better to be worth a second rendering. */
const WORTH_A_SHIFT = 0.05;

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
  for (const [id, likeness] of findings.harmony) {
    if (check('harmony', likeness[0]!).passed && check('harmony_rank', rankOf(likeness)).passed) continue;
    const now = semitones.get(id) ?? 0;
    const reach = Math.max(MAX_VOICE_SHIFT, Math.abs(now));
    const raises = Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach - now);
    const fit = (raise: number): number => likeness[((raise % 12) + 12) % 12]!;
    const best = raises.reduce((a, b) => {
      const better = fit(b) - fit(a);
      return better > 1e-9 || (Math.abs(better) < 1e-9 && Math.abs(now + b) < Math.abs(now + a)) ? b : a;
    }, 0);
    if (fit(best) - likeness[0]! < WORTH_A_SHIFT) continue;
    semitones.set(id, now + best);
    words.push(`"${songs.get(id)!.name}" was shifted by ${now + best} instead of ${now} semitones.`);
  }
  for (const [id, phase] of findings.phase) {
    if (phase === 0) continue;
    beats.set(id, (beats.get(id) ?? 0) + phase);
    words.push(`"${songs.get(id)!.name}" was moved by ${phase} beats to meet the metre.`);
  }
  return words.length > 0 ? { tuning: { semitones, beats }, words } : undefined;
}

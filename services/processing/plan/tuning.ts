/**
 * How each song is moved to meet the others: in pitch, and by beats. Keys by name are right for about six songs in ten, so that
 * what is sung over another song's music is placed by its pitch classes.
 */
import { profileLikeness } from '../measure/chroma.ts';
import { semitonesTo } from './layer-effects.ts';
import type { RenderPlan } from './plan.ts';
import type { RenderSong } from '../song/song.ts';

export type Tuning = {
  /** Pitch shift by song; drums are never shifted. */
  semitones: Map<string, number>;
  /** Beats of the mashup by which a song is brought forward. */
  beats: Map<string, number>;
  /** Seconds of a song from which a section plays it, where that is not what the plan says; by `startKey`. */
  starts: Map<string, number>;
};

export const startKey = (section: number, songId: string): string => `${section} ${songId}`;

/** Shifts of all songs in one word. */
export const shiftsOf = (semitones: ReadonlyMap<string, number>): string => JSON.stringify([...semitones].sort());

/** Beats of the song by which a run of it is brought forward. */
export function beatsForward(
  { beats }: Tuning,
  { id }: RenderSong,
  { bpm }: { bpm: number },
  { beatSec, free }: { beatSec: number; free: boolean },
): number {
  return free ? 0 : ((beats.get(id) ?? 0) * (60 / bpm)) / beatSec;
}

/** Voices sound unnatural when they are shifted further. */
export const MAX_VOICE_SHIFT = 3;
/** A shift other than by the names of the keys must fit this much better; smaller differences are chance. */
const CLEARLY_BETTER = 0.1;
/** Among shifts that fit equally well, within this, the smallest is taken. */
const AS_GOOD = 0.03;

/** Seconds for which each song plays one of `stems`. */
function playingTime(plan: RenderPlan, stems: readonly string[]): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const { start, end, layers } of plan.sections) {
    const playing = new Set(layers.filter(({ stem }) => stems.includes(stem)).map(({ songId }) => songId));
    for (const id of playing) seconds.set(id, (seconds.get(id) ?? 0) + end - start);
  }
  return seconds;
}

/** The song that does something most of the time; undefined where none does. */
export function mostPlayed(plan: RenderPlan, stems: readonly string[], except?: string): string | undefined {
  const ranked = [...playingTime(plan, stems)].filter(([id]) => id !== except).sort((a, b) => b[1] - a[1]);
  return ranked[0]?.[0];
}

/** Mean pitch classes of a song; undefined where its analysis has none. */
function profileOf(song: RenderSong): number[] | undefined {
  if (song.beatChroma.length === 0) return undefined;
  return Array.from({ length: 12 }, (_, pitch) => song.beatChroma.reduce((sum, row) => sum + row[pitch]!, 0));
}

/**
 * Shifts by the names of the keys, and for songs that sing over another's music the smallest shift within reach that agrees best
 * with it.
 */
export function chooseTuning(plan: RenderPlan, songs: ReadonlyMap<string, RenderSong>): Tuning {
  const semitones = new Map([...songs].map(([id, song]) => [id, semitonesTo(song.key, plan.key)]));
  // Who sings most is placed first; a song stays where it is once another was placed by it, or it by another.
  const settled = new Set<string>();
  for (const [singer] of [...playingTime(plan, ['vocals'])].sort((a, b) => b[1] - a[1])) {
    const bedId = bedOf(plan, singer);
    if (bedId === undefined || settled.has(singer)) continue;
    settled.add(singer).add(bedId);
    const voice = profileOf(songs.get(singer)!);
    const bed = profileOf(songs.get(bedId)!);
    if (!voice || !bed) continue;
    const likeness = (shift: number): number => profileLikeness(voice, bed, shift - semitones.get(bedId)!);
    semitones.set(singer, bestShift(semitones.get(singer)!, likeness));
  }
  return { semitones, beats: new Map(), starts: new Map() };
}

/** The song whose notes lie most under another's voice. */
function bedOf(plan: RenderPlan, singer: string): string | undefined {
  const together = plan.sections.filter(({ layers }) =>
    layers.some(({ songId, stem }) => songId === singer && stem === 'vocals'),
  );
  return mostPlayed({ ...plan, sections: together }, ['bass', 'other'], singer);
}

/** The smallest shift that fits best, or `named` where none is clearly better. */
function bestShift(named: number, likeness: (shift: number) => number): number {
  const reach = Math.max(MAX_VOICE_SHIFT, Math.abs(named));
  const shifts = Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach);
  const top = Math.max(...shifts.map(likeness));
  if (top - likeness(named) < CLEARLY_BETTER) return named;
  return shifts
    .filter((shift) => likeness(shift) >= top - AS_GOOD)
    .reduce((best, shift) => (Math.abs(shift) < Math.abs(best) ? shift : best));
}

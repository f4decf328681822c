/**
 * How each song is moved to match the others: in key, in tuning and by beats. Detected keys are right for about six songs in ten. For that
 * reason, the shift of a voice over another song's music is chosen by the pitch classes of both.
 */
import { semitonesBetween } from '../../../music/plan/key-shifts.ts';
import type { Stem } from '../../../schema.ts';
import { profileCorrelation } from '../measure/chroma.ts';
import type { RenderSong } from '../song/song.ts';
import type { RenderPlan } from './plan.ts';

export type Tuning = {
  /** Shift in semitones by song; drums are never shifted. */
  semitones: Map<string, number>;
  /** Shift in cents that is added to the semitones, by song: brings the song to the tuning of the mashup. */
  cents: Map<string, number>;
  /** Tuning of the mashup in cents above A = 440 Hz. */
  tunedTo: number;
  /** Beats of the mashup by which a song plays earlier. */
  beats: Map<string, number>;
  /** Seconds of a song from which a section plays it, where a correction replaces the plan's; by `startKey`. */
  starts: Map<string, number>;
};

/** Key of `Tuning.starts` for a song in a section. */
export const startKey = (section: number, songId: string): string => `${section} ${songId}`;

/** The shifts of all songs as one string, to compare and collect them. */
export const shiftsKey = (semitones: ReadonlyMap<string, number>): string => JSON.stringify([...semitones].sort());

/** Beats of the song by which a run of it plays earlier. */
export function sourceBeatOffset(
  { beats }: Tuning,
  { id }: RenderSong,
  { bpm }: { bpm: number },
  { beatSec, free }: { beatSec: number; free: boolean },
): number {
  return free ? 0 : ((beats.get(id) ?? 0) * (60 / bpm)) / beatSec;
}

/** Smaller differences of tuning are not audible, in cents. Two songs within it of the same tuning are less than twice it apart. */
const INAUDIBLE_CENTS = 4;
/** Voices sound unnatural when they are shifted further, in semitones. */
export const MAX_VOICE_SHIFT = 3;
/** A shift other than the one by key must correlate this much better; smaller differences are chance. */
const CLEARLY_BETTER = 0.1;
/** Among shifts whose correlations differ by less than this, the smallest shift is chosen. */
const EQUAL_FIT = 0.03;

/** Seconds for which each song plays one of `stems`. */
export function playingTime(plan: RenderPlan, stems: readonly string[]): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const { start, end, layers } of plan.sections) {
    const playing = new Set(layers.filter(({ stem }) => stems.includes(stem)).map(({ songId }) => songId));
    for (const id of playing) seconds.set(id, (seconds.get(id) ?? 0) + end - start);
  }
  return seconds;
}

/** The song other than `except` that plays one of `stems` for the longest time; undefined if none does. */
export function mostPlayed(plan: RenderPlan, stems: readonly string[], except?: string): string | undefined {
  const ranked = [...playingTime(plan, stems)].filter(([id]) => id !== except).sort((a, b) => b[1] - a[1]);
  return ranked[0]?.[0];
}

/** The song among the keys of `known` that plays bass or harmony for the longest time, or sings if none of them does. */
export function longestHeard(plan: RenderPlan, known: ReadonlyMap<string, unknown>): string | undefined {
  const longest = (stems: readonly Stem[]): string | undefined =>
    [...playingTime(plan, stems)].filter(([id]) => known.has(id)).sort((a, b) => b[1] - a[1])[0]?.[0];
  return longest(['bass', 'other']) ?? longest(['vocals']);
}

/**
 * Brings the songs to one tuning: that of the song that plays bass or harmony longest, or A = 440 Hz if that song is near it. A song
 * whose tuning is not known, or nearly right, keeps its own. The shift may exceed half a semitone, because the key of a song refers to
 * its tuning.
 */
function tuneTogether(plan: RenderPlan, songs: ReadonlyMap<string, RenderSong>): Pick<Tuning, 'cents' | 'tunedTo'> {
  const known = new Map(
    [...songs].flatMap(([id, { tuningCents }]) => (tuningCents === undefined ? [] : [[id, tuningCents]])),
  );
  const own = known.get(longestHeard(plan, known) ?? '') ?? 0;
  const tunedTo = Math.abs(own) < INAUDIBLE_CENTS ? 0 : own;
  const cents = [...known].map(([id, tuned]): [string, number] => [id, tunedTo - tuned]);
  return { tunedTo, cents: new Map(cents.filter(([, by]) => Math.abs(by) >= INAUDIBLE_CENTS)) };
}

/** Summed pitch classes of a song; undefined if its analysis has none. */
function profileOf(song: RenderSong): number[] | undefined {
  if (song.beatChroma.length === 0) return undefined;
  return Array.from({ length: 12 }, (_, pitch) => song.beatChroma.reduce((sum, row) => sum + row[pitch]!, 0));
}

/**
 * Chooses the shifts of the songs: those of the plan, otherwise by their keys, and for songs that sing over another song's music, the
 * smallest shift in reach that fits it best.
 */
export function chooseTuning(plan: RenderPlan, songs: ReadonlyMap<string, RenderSong>): Tuning {
  const semitones = new Map(
    [...songs].map(([id, song]) => [id, plan.shifts[id] ?? semitonesBetween(song.key, plan.key)]),
  );
  // The song that sings longest is placed first. A song is fixed once it was placed, or another song was placed by it.
  const fixed = new Set<string>();
  for (const [singer] of [...playingTime(plan, ['vocals'])].sort((a, b) => b[1] - a[1])) {
    const bedId = bedOf(plan, singer);
    if (bedId === undefined || fixed.has(singer) || plan.shifts[singer] !== undefined) continue;
    fixed.add(singer).add(bedId);
    const voice = profileOf(songs.get(singer)!);
    const bed = profileOf(songs.get(bedId)!);
    if (!voice || !bed) continue;
    const correlation = (shift: number): number => profileCorrelation(voice, bed, shift - semitones.get(bedId)!);
    semitones.set(singer, bestShift(semitones.get(singer)!, correlation));
  }
  return { semitones, ...tuneTogether(plan, songs), beats: new Map(), starts: new Map() };
}

/** The song that plays bass or harmony under another song's voice for the longest time. */
function bedOf(plan: RenderPlan, singer: string): string | undefined {
  const together = plan.sections.filter(({ layers }) =>
    layers.some(({ songId, stem }) => songId === singer && stem === 'vocals'),
  );
  return mostPlayed({ ...plan, sections: together }, ['bass', 'other'], singer);
}

/** The smallest shift that fits best, or `byKey` if none is clearly better. */
function bestShift(byKey: number, correlation: (shift: number) => number): number {
  const reach = Math.max(MAX_VOICE_SHIFT, Math.abs(byKey));
  const shifts = Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach);
  const top = Math.max(...shifts.map(correlation));
  if (top - correlation(byKey) < CLEARLY_BETTER) return byKey;
  return shifts
    .filter((shift) => correlation(shift) >= top - EQUAL_FIT)
    .reduce((best, shift) => (Math.abs(shift) < Math.abs(best) ? shift : best));
}

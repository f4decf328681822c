/** Tempo and key that the songs of a mashup can meet in, with the smallest moves. */
import type { AnalyzedSong } from '../../schema.ts';
import { keyShift, parseKey, type Key } from '../theory/keys.ts';
import { MAX_PITCH_SHIFT } from '../plan/limits.ts';
import { AUDIBLE_TEMPO_CHANGE, matchTempo } from '../theory/tempo.ts';

/** Tempi that a mashup is made in: below, it drags; above, half of it is felt. */
const MASHUP_BPM = { min: 66, max: 168 } as const;
const BPM_STEP = 0.1;

/** A song and how much moving it costs: voices show a stretch or a shift more than drums do. */
export type Weighted = { song: AnalyzedSong; tempoWeight: number; keyWeight: number };

const logStretch = (bpm: number, target: number): number => Math.abs(Math.log(matchTempo(bpm, target).rate));

/** Songs are measured again when they are rendered, and come out a little different: this much is kept from the limit. */
const TEMPO_MARGIN = 0.005;

/** Whether some tempo spares all songs a change of speed that everyone hears. */
export function canAllMeet(songs: readonly AnalyzedSong[]): boolean {
  return leastTempoChange(songs) <= AUDIBLE_TEMPO_CHANGE;
}

/**
 * The tempo with the least weighted stretch (squared, in log tempo, so that one large move costs more than two small ones),
 * or the anchor's own where that is nearly as good: its grid then stays untouched. Only tempi are considered that spare every song a
 * stretch that everyone hears; where there is none, the anchor's own is taken.
 */
export function chooseTempo(songs: readonly Weighted[], anchor: AnalyzedSong): number {
  const cost = (target: number): number =>
    songs.reduce(
      (sum, { song, tempoWeight }) => sum + tempoWeight * logStretch(song.analysis.rhythmic.bpm, target) ** 2,
      0,
    );
  const list = songs.map(({ song }) => song);
  const bearable = Math.max(AUDIBLE_TEMPO_CHANGE - TEMPO_MARGIN, leastTempoChange(list));
  const candidates = mashupTempi().filter((target) => worstTempoChange(list, target) <= bearable);
  const best = candidates.reduce((a, b) => (cost(b) < cost(a) - 1e-12 ? b : a));
  const own = foldTempo(anchor.analysis.rhythmic.bpm);
  const nearlyAsGood = cost(own) <= cost(best) + 0.004 && worstTempoChange(list, own) <= bearable;
  return Math.round((nearlyAsGood || bearable > AUDIBLE_TEMPO_CHANGE ? own : best) * 100) / 100;
}

/** The tempi that are considered for a mashup, rising. */
function mashupTempi(): number[] {
  const count = Math.round((MASHUP_BPM.max - MASHUP_BPM.min) / BPM_STEP) + 1;
  return Array.from({ length: count }, (_, index) => Math.round((MASHUP_BPM.min + index * BPM_STEP) * 10) / 10);
}

/** A tempo brought into the range of mashups by doubling or halving. */
export function foldTempo(bpm: number): number {
  let folded = bpm > 0 ? bpm : 120;
  while (folded < MASHUP_BPM.min) folded *= 2;
  while (folded > MASHUP_BPM.max) folded /= 2;
  return folded;
}

/** The key with the least weighted shift; a song's own key wins over an equal one. Null where no key is known. */
export function chooseKey(songs: readonly Weighted[]): Key | null {
  const known = songs.flatMap(({ song, keyWeight }) => {
    const key = parseKey(song.analysis.harmonic.key);
    return key ? [{ key, weight: keyWeight * (0.3 + 0.7 * song.analysis.harmonic.key_confidence) }] : [];
  });
  const first = known[0];
  if (!first) return null;
  const cost = (target: Key): number =>
    known.reduce((sum, { key, weight }) => sum + weight * Math.abs(keyShift(key, target)) ** 1.5, 0);
  const candidates = [
    ...known.toSorted((a, b) => b.weight - a.weight).map(({ key }) => key),
    ...Array.from({ length: 12 }, (_, tonic): Key => ({ tonic, mode: first.key.mode })),
  ];
  const list = songs.map(({ song }) => song);
  const bearable = bearableKeyShift(list);
  return candidates
    .filter((each) => worstKeyShift(list, each) <= bearable)
    .reduce((best, each) => (cost(each) < cost(best) - 1e-9 ? each : best));
}

/** Largest stretch among the songs at a tempo, as a share (0.08 is 8 %). */
function worstTempoChange(songs: readonly AnalyzedSong[], targetBpm: number): number {
  return Math.max(0, ...songs.map((song) => Math.exp(logStretch(song.analysis.rhythmic.bpm, targetBpm)) - 1));
}

/** The smallest that the largest stretch can be at any tempo of a mashup. */
function leastTempoChange(songs: readonly AnalyzedSong[]): number {
  return Math.min(...mashupTempi().map((target) => worstTempoChange(songs, target)));
}

/** Largest shift in semitones among songs of known key. */
export function worstKeyShift(songs: readonly AnalyzedSong[], target: Key): number {
  return Math.max(
    0,
    ...songs.map((song) => {
      const key = parseKey(song.analysis.harmonic.key);
      return key ? Math.abs(keyShift(key, target)) : 0;
    }),
  );
}

/** The smallest that the largest shift can be in any key. */
export function leastKeyShift(songs: readonly AnalyzedSong[]): number {
  return Math.min(...Array.from({ length: 12 }, (_, tonic) => worstKeyShift(songs, { tonic, mode: 'major' })));
}

/** The shift that a plan may ask for: what is always allowed, or one more than the least where that is not enough. */
export function bearableKeyShift(songs: readonly AnalyzedSong[]): number {
  return Math.max(MAX_PITCH_SHIFT, leastKeyShift(songs) + 1);
}

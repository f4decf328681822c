/** The common tempo and key of a mashup's songs: those with the smallest stretches and shifts. */
import type { AnalyzedSong } from '../../schema.ts';
import { hasBeat } from '../theory/content.ts';
import { keyShift, parseKey, type Key } from '../theory/keys.ts';
import { maxKeyShift, worstKeyShift } from '../plan/key-shifts.ts';
import { AUDIBLE_TEMPO_CHANGE, matchTempo } from '../theory/tempo.ts';

/** Range of a mashup's tempo. Below it, music drags; above it, listeners feel half the tempo. */
const MASHUP_BPM = { min: 66, max: 168 } as const;
const BPM_STEP = 0.1;

/** A song with the weights of its stretch and shift: both are more audible on voices than on drums. */
export type Weighted = { song: AnalyzedSong; tempoWeight: number; keyWeight: number };

/** Magnitude of the logarithm of the stretch of a song at a tempo. A song without a beat is not stretched. */
const logStretch = ({ analysis }: AnalyzedSong, target: number): number =>
  hasBeat(analysis) ? Math.abs(Math.log(matchTempo(analysis.rhythmic.bpm, target).rate)) : 0;

/** Margin to the limit of tempo changes: the renderer measures the tempi again, with slightly different results. */
const TEMPO_MARGIN = 0.005;

/** Whether there is a tempo to which all songs with a beat can be stretched without a change that everyone hears. */
export function haveCommonTempo(songs: readonly AnalyzedSong[]): boolean {
  return leastTempoChange(songs) <= AUDIBLE_TEMPO_CHANGE;
}

/**
 * Returns the tempo with the least weighted stretch. Stretches count by their squared logarithm, so that one large stretch
 * costs more than two small ones. The anchor's own tempo wins if it is nearly as good: its beat grid is then unchanged.
 * Tempi that need an audible stretch are excluded; if all do, the anchor's own tempo is returned.
 */
export function chooseTempo(songs: readonly Weighted[], anchor: AnalyzedSong): number {
  const cost = (target: number): number =>
    songs.reduce((sum, { song, tempoWeight }) => sum + tempoWeight * logStretch(song, target) ** 2, 0);
  const list = songs.map(({ song }) => song);
  const limit = Math.max(AUDIBLE_TEMPO_CHANGE - TEMPO_MARGIN, leastTempoChange(list));
  const candidates = mashupTempi().filter((target) => worstTempoChange(list, target) <= limit);
  const best = candidates.reduce((a, b) => (cost(b) < cost(a) - 1e-12 ? b : a));
  const own = foldTempo(anchor.analysis.rhythmic.bpm);
  const nearlyAsGood = cost(own) <= cost(best) + 0.004 && worstTempoChange(list, own) <= limit;
  return Math.round((nearlyAsGood || limit > AUDIBLE_TEMPO_CHANGE ? own : best) * 100) / 100;
}

/** Returns the candidate tempi of a mashup, ascending. */
function mashupTempi(): number[] {
  const count = Math.round((MASHUP_BPM.max - MASHUP_BPM.min) / BPM_STEP) + 1;
  return Array.from({ length: count }, (_, index) => Math.round((MASHUP_BPM.min + index * BPM_STEP) * 10) / 10);
}

/** Doubles or halves a tempo until it is in the range of mashups. */
export function foldTempo(bpm: number): number {
  let folded = bpm > 0 ? bpm : 120;
  while (folded < MASHUP_BPM.min) folded *= 2;
  while (folded > MASHUP_BPM.max) folded /= 2;
  return folded;
}

/** Returns the key with the least weighted shift; of equal ones, a song's own key. Null if no key is known. */
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
  const limit = maxKeyShift(list);
  return candidates
    .filter((each) => worstKeyShift(list, each) <= limit)
    .reduce((best, each) => (cost(each) < cost(best) - 1e-9 ? each : best));
}

/** Returns the largest stretch among the songs at a tempo, as a share: 0.08 is 8 %. */
function worstTempoChange(songs: readonly AnalyzedSong[], targetBpm: number): number {
  return Math.max(0, ...songs.map((song) => Math.exp(logStretch(song, targetBpm)) - 1));
}

/** Returns the largest stretch at the tempo where it is smallest, as a share. */
function leastTempoChange(songs: readonly AnalyzedSong[]): number {
  return Math.min(...mashupTempi().map((target) => worstTempoChange(songs, target)));
}

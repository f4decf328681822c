/**
 * Phrase matching: finds the phrases of one song whose vocals fit phrases of another song's bed, and the shift.
 *
 * Method: Davies, Hamel, Yoshii, Goto (AutoMashUpper, IEEE/ACM TASLP 2014). Beat-synchronous features of phrases of whole
 * bars are compared by harmonic, rhythmic and spectral-balance similarity, over all key shifts within reach. Features are
 * averaged over two beats, and only the best phrases of each song are compared, so that a pair takes milliseconds.
 */
import type { AnalyzedSong, PhraseMatch, SongAnalysis } from '../../schema.ts';
import { energyOf, songBars, vocalsOf } from '../theory/bars.ts';
import { hasBeat } from '../theory/content.ts';
import { soundsThroughout } from '../theory/sound-spans.ts';
import type { SoundSpan } from '../theory/sound-spans.ts';
import { matchTempo } from '../theory/tempo.ts';

/** In semitones. Larger shifts make vocals sound unnatural. */
const MAX_VOCAL_SHIFT = 3;
/** Number of matches for each role of a pair. */
const MATCHES_PER_ROLE = 3;
/** Number of phrases of each song that are compared. */
const MAX_CANDIDATES = 40;
/** Lengths of phrases that are tried, longest first. */
const PHRASE_BARS = [8, 4, 2] as const;
/** The end of a phrase may be silent for this time. */
const MAX_CUT_SEC = 1;
/** Beats per feature vector. */
const BEATS_PER_STEP = 2;

/** Weights of the similarities. Harmony matters most, according to the listening test of the paper. */
const WEIGHTS = { harmony: 0.6, rhythm: 0.15, balance: 0.1, voice: 0.15 } as const;
/** Penalty on the similarity for each semitone of shift. */
const COST_PER_SEMITONE = 0.015;

/** Beat-synchronous features. `bars` holds the indices of the downbeats in `times`; `spans` is where the song sounds. */
type Beats = {
  times: number[];
  chroma: number[][];
  bands: number[][];
  bars: number[];
  spans: readonly SoundSpan[];
};

type Phrase = {
  startSec: number;
  endSec: number;
  /** Steps x 12, row by row, centred and scaled to length 1. */
  chroma: Float64Array;
  /** Energy of each step, centred and scaled to length 1. */
  pattern: Float64Array;
  balance: [number, number, number];
  voice: number;
};

function readBeats(analysis: SongAnalysis): Beats | null {
  if (!hasBeat(analysis)) return null;
  const times = analysis.rhythmic.beats_sec;
  const chroma = analysis.harmonic.beat_chroma;
  if (!times || !chroma || times.length < 8 || chroma.length < 8) return null;
  const count = Math.min(times.length, chroma.length);
  const { downbeatsSec, spans } = songBars(analysis);
  const bars = downbeatsSec
    .map((at) => nearestIndex(times, at))
    .filter((index, i, all) => index < count && index !== all[i - 1]);
  return { times: times.slice(0, count), chroma, bands: analysis.rhythmic.beat_bands ?? [], bars, spans };
}

function nearestIndex(sorted: readonly number[], at: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low > 0 && at - (sorted[low - 1] ?? 0) < (sorted[low] ?? 0) - at ? low - 1 : low;
}

/** Returns the phrases of `beats` beats of a song, divided into `steps` steps, best for the role first. */
function phrasesOf(
  analysis: SongAnalysis,
  from: Beats,
  beats: number,
  steps: number,
  role: 'vocals' | 'bed',
): Phrase[] {
  const starts = from.bars
    .filter((start) => start + beats <= from.times.length)
    .map((start) => {
      const startSec = from.times[start] ?? 0;
      const endSec = from.times[start + beats] ?? startSec + (beats * 60) / analysis.rhythmic.bpm;
      const voice = vocalsOf(analysis, startSec, endSec);
      const energy = energyOf(analysis, startSec, endSec);
      return { start, startSec, endSec, voice, rank: role === 'vocals' ? voice : 0.6 * energy + 0.4 * (1 - voice) };
    });
  return starts
    .filter(({ startSec, endSec }) => soundsThroughout(from.spans, startSec, endSec - MAX_CUT_SEC))
    .sort((a, b) => b.rank - a.rank || a.start - b.start)
    .slice(0, MAX_CANDIDATES)
    .map(({ start, startSec, endSec, voice }) => ({
      startSec,
      endSec,
      voice,
      ...features(from, start, beats / steps, steps),
    }));
}

function features(
  from: Beats,
  start: number,
  beatsPerStep: number,
  steps: number,
): Omit<Phrase, 'startSec' | 'endSec' | 'voice'> {
  const chroma = new Float64Array(steps * 12);
  const pattern = new Float64Array(steps);
  const balance: [number, number, number] = [0, 0, 0];
  for (let step = 0; step < steps; step++) {
    const first = start + Math.floor(step * beatsPerStep);
    const last = Math.max(first + 1, start + Math.floor((step + 1) * beatsPerStep));
    for (let beat = first; beat < last; beat++) {
      const row = from.chroma[beat] ?? [];
      for (let pitch = 0; pitch < 12; pitch++) chroma[step * 12 + pitch]! += (row[pitch] ?? 0) / (last - first);
      const bands = from.bands[beat] ?? [];
      for (let band = 0; band < 3; band++) {
        const value = (bands[band] ?? 0) / (last - first);
        balance[band]! += value / steps;
        pattern[step]! += value;
      }
    }
  }
  return { chroma: normalize(chroma), pattern: normalize(pattern), balance };
}

/** Subtracts the mean and scales to length 1. A constant vector becomes zeros. */
function normalize(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const centred = values.map((value) => value - mean);
  const length = Math.sqrt(centred.reduce((sum, value) => sum + value * value, 0));
  return length < 1e-9 ? centred.fill(0) : centred.map((value) => value / length);
}

/** Returns the correlation of two chroma phrases, -1..1, with the first shifted up by some semitones. */
function chromaSimilarity(a: Float64Array, b: Float64Array, shift: number): number {
  let sum = 0;
  const up = ((shift % 12) + 12) % 12;
  for (let row = 0; row < a.length; row += 12) {
    for (let pitch = 0; pitch < 12; pitch++) {
      let to = pitch + up;
      if (to >= 12) to -= 12;
      sum += a[row + pitch]! * b[row + to]!;
    }
  }
  return sum;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Returns how even the frequency bands of the two together are, 0..1: even if the bed leaves room for the voice. */
function balanceSimilarity(a: Phrase, b: Phrase): number {
  const sums = a.balance.map((value, band) => value + b.balance[band]!);
  const total = sums.reduce((sum, value) => sum + value, 0);
  if (total < 1e-9) return 0.5;
  const spread = sums.reduce((sum, value) => sum + Math.abs(value / total - 1 / 3), 0);
  return Math.max(0, 1 - spread);
}

/**
 * Returns the best matches of one song's vocals with the other song's bed, best first, without overlaps in the vocals.
 * Empty if a song has no beat, an analysis has no beat-synchronous chroma or a song is shorter than two bars.
 */
export function matchPhrases(vocals: AnalyzedSong, bed: AnalyzedSong): PhraseMatch[] {
  const voiceBeats = readBeats(vocals.analysis);
  const bedBeats = readBeats(bed.analysis);
  if (!voiceBeats || !bedBeats) return [];
  const { multiple } = matchTempo(vocals.analysis.rhythmic.bpm, bed.analysis.rhythmic.bpm);
  const meter = songBars(bed.analysis).meter;

  for (const bars of PHRASE_BARS) {
    const beats = bars * meter;
    // A song that is read at double tempo needs half as many of its beats.
    const ownBeats = Math.round(beats / multiple);
    const steps = Math.ceil(beats / BEATS_PER_STEP);
    const voicePhrases = phrasesOf(vocals.analysis, voiceBeats, ownBeats, steps, 'vocals');
    const bedPhrases = phrasesOf(bed.analysis, bedBeats, beats, steps, 'bed');
    // With fewer phrases there is no choice: shorter phrases are tried.
    if (bars !== 2 && (voicePhrases.length < 3 || bedPhrases.length < 3)) continue;
    const matches = voicePhrases.flatMap((voice) => bestMatch(voice, bedPhrases) ?? []);
    return withoutOverlaps(matches).map(({ voice, bed: bedPhrase, shift, similarity }) => ({
      vocals_song_id: vocals.song_id,
      bed_song_id: bed.song_id,
      vocals_start_sec: voice.startSec,
      bed_start_sec: bedPhrase.startSec,
      bars,
      key_shift: shift,
      tempo_multiple: multiple,
      similarity: Math.round(similarity * 1_000) / 1_000,
    }));
  }
  return [];
}

type Match = { voice: Phrase; bed: Phrase; shift: number; similarity: number };

/** Returns the bed phrase and the shift with the highest similarity to a vocal phrase. */
function bestMatch(voice: Phrase, beds: readonly Phrase[]): Match | undefined {
  let best: Match | undefined;
  for (const bed of beds) {
    const rhythm = (dot(voice.pattern, bed.pattern) + 1) / 2;
    const fixed =
      WEIGHTS.rhythm * rhythm +
      WEIGHTS.balance * balanceSimilarity(voice, bed) +
      WEIGHTS.voice * voice.voice * (1 - 0.5 * bed.voice);
    for (let shift = -MAX_VOCAL_SHIFT; shift <= MAX_VOCAL_SHIFT; shift++) {
      const harmony = (chromaSimilarity(voice.chroma, bed.chroma, shift) + 1) / 2;
      const raw = fixed + WEIGHTS.harmony * harmony - COST_PER_SEMITONE * Math.abs(shift);
      const similarity = Math.min(1, Math.max(0, raw));
      if (!best || similarity > best.similarity) best = { voice, bed, shift, similarity };
    }
  }
  return best;
}

/** Returns the best matches, best first, whose vocal phrases do not overlap. */
function withoutOverlaps(matches: readonly Match[]): Match[] {
  const kept: Match[] = [];
  for (const each of matches.toSorted((a, b) => b.similarity - a.similarity || a.voice.startSec - b.voice.startSec)) {
    if (kept.length >= MATCHES_PER_ROLE) break;
    const overlaps = kept.some(
      (other) => each.voice.startSec < other.voice.endSec && other.voice.startSec < each.voice.endSec,
    );
    if (!overlaps) kept.push(each);
  }
  return kept;
}

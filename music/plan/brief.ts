/** Songs and scores in a few kilobytes of text, for a planner that reads: no matrices, numbers rounded. */
import type { AnalyzedSong, PairScore, PlanLimits } from '../../schema.ts';
import { songGrid } from '../theory/bars.ts';
import { camelotCode, parseKey } from '../theory/keys.ts';
import { limitsFor } from './limits.ts';
import { textOf } from './parse-plan.ts';

const MAX_SECTIONS_PER_SONG = 24;
const MAX_PHRASES_PER_PAIR = 4;
const MAX_CHORDS = 12;
const MAX_KEY_LENGTH = 16;

const round = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** A song as a plain object: identity, tempo, key, sections. Names are cut and freed of control characters. */
function describeSong(song: AnalyzedSong): Record<string, unknown> {
  const { analysis } = song;
  const grid = songGrid(analysis);
  const key = parseKey(analysis.harmonic.key);
  return {
    song_id: song.song_id,
    name: textOf(song.name, 120),
    artist: textOf(song.artist, 120),
    duration_sec: analysis.duration_sec === null ? null : round(analysis.duration_sec, 1),
    bpm: round(grid.bpm),
    beats_in_bar: grid.meter,
    first_downbeat_sec: round(grid.downbeatsSec[0] ?? 0),
    bar_sec: round(grid.barSec, 3),
    beat_confidence: round(analysis.rhythmic.beat_confidence),
    swing: round(analysis.rhythmic.swing_factor),
    key: textOf(analysis.harmonic.key, MAX_KEY_LENGTH),
    camelot: key ? camelotCode(key) : null,
    key_confidence: round(analysis.harmonic.key_confidence),
    chords: analysis.harmonic.chord_progression.slice(0, MAX_CHORDS).map((chord) => textOf(chord, MAX_KEY_LENGTH)),
    brightness_hz: Math.round(analysis.spectral.brightness),
    loudness_lufs: analysis.loudness ? round(analysis.loudness.integrated_lufs, 1) : null,
    energy: analysis.energy ? round(analysis.energy.mean) : null,
    vocal_presence: round(analysis.vocal.vocal_presence),
    sections: (analysis.sections ?? []).slice(0, MAX_SECTIONS_PER_SONG).map((section) => ({
      label: textOf(section.label, 24),
      from_sec: round(section.start_sec, 1),
      to_sec: round(section.end_sec, 1),
      energy: round(section.energy),
      vocals: round(section.vocal_presence),
    })),
  };
}

/** A pair score as a plain object: what it is by dimension, in words, and the best phrases. */
function describeScore(score: PairScore): Record<string, unknown> {
  return {
    songs: score.song_pair,
    score: Math.round(score.score),
    dimensions: Object.fromEntries(
      Object.entries(score.dimension_scores).map(([name, value]) => [name, Math.round(value)]),
    ),
    advice: score.recommendations.slice(0, 5).map((text) => textOf(text, 200)),
    warnings: score.warnings.slice(0, 5).map((text) => textOf(text, 200)),
    best_phrases: score.phrases.slice(0, MAX_PHRASES_PER_PAIR).map((phrase) => ({
      vocals_of: phrase.vocals_song_id,
      vocals_from_sec: round(phrase.vocals_start_sec),
      over_bed_of: phrase.bed_song_id,
      bed_from_sec: round(phrase.bed_start_sec),
      bars: phrase.bars,
      shift_semitones: phrase.key_shift,
      vocals_tempo_read_times: phrase.tempo_multiple,
      similarity: round(phrase.similarity),
    })),
  };
}

/** The whole brief as JSON text: songs, scores and limits; about 3,000 tokens for three songs. */
export function describeMaterial(
  songs: readonly AnalyzedSong[],
  scores: readonly PairScore[],
  limits: PlanLimits,
): string {
  const { min_length_sec, max_length_sec, stems } = limitsFor(songs, limits);
  return JSON.stringify({
    songs: songs.map(describeSong),
    pairs: scores.map(describeScore),
    limits: { min_length_sec, max_length_sec, stems },
  });
}

/** Songs and scores as a few kilobytes of text for a language model: rounded numbers, no matrices. */
import { STEMS, type AnalyzedSong, type PairScore, type PlanLimits } from '../../schema.ts';
import { songBars } from '../theory/bars.ts';
import { contentOf, hasBeat, usableStems } from '../theory/content.ts';
import { chooseParts } from '../theory/parts.ts';
import { camelotCode, parseKey } from '../theory/keys.ts';
import { limitsFor } from './limits.ts';
import { cleanText } from './text.ts';

const MAX_SECTIONS_PER_SONG = 24;
const MAX_PHRASES_PER_PAIR = 4;
const MAX_CHORDS = 12;
const MAX_KEY_LENGTH = 16;

const round = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** Returns a summary of a song: identity, tempo, key, sections. Names are truncated, without control characters. */
function describeSong(song: AnalyzedSong): Record<string, unknown> {
  const { analysis } = song;
  const bars = songBars(analysis);
  const key = parseKey(analysis.harmonic.key);
  const content = contentOf(song);
  const usable = usableStems(song);
  return {
    song_id: song.song_id,
    name: cleanText(song.name, 120),
    artist: cleanText(song.artist, 120),
    duration_sec: analysis.duration_sec === null ? null : round(analysis.duration_sec, 1),
    bpm: round(bars.bpm),
    beats_in_bar: bars.meter,
    first_downbeat_sec: round(bars.downbeatsSec[0] ?? 0),
    bar_sec: round(bars.barSec, 3),
    beat_confidence: round(analysis.rhythmic.beat_confidence),
    ...(hasBeat(analysis) ? {} : { has_beat: false }),
    ...(content === 'full' ? {} : { content }),
    ...(usable.length === STEMS.length ? {} : { usable_stems: usable }),
    swing: round(analysis.rhythmic.swing_factor),
    key: cleanText(analysis.harmonic.key, MAX_KEY_LENGTH),
    camelot: key ? camelotCode(key) : null,
    key_confidence: round(analysis.harmonic.key_confidence),
    chords: analysis.harmonic.chord_progression.slice(0, MAX_CHORDS).map((chord) => cleanText(chord, MAX_KEY_LENGTH)),
    brightness_hz: Math.round(analysis.spectral.brightness),
    loudness_lufs: analysis.loudness ? round(analysis.loudness.integrated_lufs, 1) : null,
    energy: analysis.energy ? round(analysis.energy.mean) : null,
    vocal_presence: round(analysis.vocal.vocal_presence),
    sections: (analysis.sections ?? []).slice(0, MAX_SECTIONS_PER_SONG).map((section) => ({
      label: cleanText(section.label, 24),
      from_sec: round(section.start_sec, 1),
      to_sec: round(section.end_sec, 1),
      energy: round(section.energy),
      vocals: round(section.vocal_presence),
    })),
  };
}

/** Returns a summary of a pair score: dimensions, recommendations, warnings, best phrases. */
function describeScore(score: PairScore): Record<string, unknown> {
  return {
    songs: score.song_pair,
    score: Math.round(score.score),
    dimensions: Object.fromEntries(
      Object.entries(score.dimension_scores).map(([name, value]) => [name, Math.round(value)]),
    ),
    advice: score.recommendations.slice(0, 5).map((text) => cleanText(text, 200)),
    warnings: score.warnings.slice(0, 5).map((text) => cleanText(text, 200)),
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

/** Returns songs, scores and limits as JSON text: about 3,000 tokens for three songs. */
export function describeMaterial(
  wholeSongs: readonly AnalyzedSong[],
  scores: readonly PairScore[],
  limits: PlanLimits,
): string {
  const songs = chooseParts(wholeSongs);
  const { min_length_sec, max_length_sec, stems } = limitsFor(songs, limits);
  return JSON.stringify({
    songs: songs.map(describeSong),
    pairs: scores.map(describeScore),
    limits: { min_length_sec, max_length_sec, stems },
  });
}

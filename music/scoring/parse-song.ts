/** A song from whatever a service or a caller sent as its analysis. */
import { SongAnalysis, type AnalyzedSong } from '../../schema.ts';
import { ASSUMED_BPM } from '../theory/bars.ts';
import { readScoringInput } from './scoring-input.ts';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const clampUnit = (value: number): number => Math.min(1, Math.max(0, value));
const textIn = (record: Record<string, unknown>, name: string): string | undefined => {
  const value = record[name];
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
};

/**
 * Reads an analysis with optional `song_id`, `name`, `artist` and `duration_sec` beside it, as the contract's free-form
 * objects carry them. A complete `SongAnalysis` is kept whole; of anything else the contract's members are taken.
 * @param position counted from 1; names a song that brings no name or id
 */
export function looseSong(raw: unknown, position: number): AnalyzedSong {
  const record = isRecord(raw) ? raw : {};
  const complete = SongAnalysis.safeParse(raw);
  return {
    song_id: textIn(record, 'song_id') ?? textIn(record, 'songId') ?? `song${position}`,
    name: textIn(record, 'name') ?? `Song ${position}`,
    artist: textIn(record, 'artist') ?? '',
    analysis: complete.success ? complete.data : looseAnalysis(record),
  };
}

function looseAnalysis(record: Record<string, unknown>): SongAnalysis {
  const read = readScoringInput(record);
  const duration = Number(record['duration_sec']);
  const harmonic = isRecord(record['harmonic']) ? record['harmonic'] : {};
  const chords: unknown[] = Array.isArray(harmonic['chord_progression']) ? harmonic['chord_progression'] : [];
  return {
    version: textIn(record, 'version') ?? 'unknown',
    duration_sec: duration > 0 && Number.isFinite(duration) ? duration : null,
    harmonic: {
      key: read.key,
      key_confidence: clampUnit(read.keyConfidence ?? 0.5),
      chord_progression: chords.filter((chord) => typeof chord === 'string'),
      chord_complexity: clampUnit(read.chordComplexity),
    },
    rhythmic: {
      bpm: read.bpm > 0 ? read.bpm : ASSUMED_BPM,
      beat_confidence: clampUnit(read.beatConfidence),
      groove_stability: clampUnit(read.grooveStability),
      swing_factor: clampUnit(read.swingFactor),
    },
    spectral: {
      mfccs: read.timbre.map((mean) => [mean]),
      dynamic_range: read.dynamicRange,
      brightness: read.brightness,
    },
    vocal: { vocal_presence: clampUnit(read.vocalPresence) },
    has_timbre: read.timbre.length > 0,
  };
}

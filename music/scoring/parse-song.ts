/** Parses songs from analyses of any service. */
import { SongAnalysis, type AnalyzedSong } from '../../schema.ts';
import { isRecord, toList, toNumber } from '../loose-values.ts';
import { ASSUMED_BPM } from '../theory/bars.ts';
import { readScoringInput } from './scoring-input.ts';

const clampUnit = (value: number): number => Math.min(1, Math.max(0, value));
const textIn = (record: Record<string, unknown>, name: string): string | undefined => {
  const value = record[name];
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
};

/**
 * Parses an analysis that may also carry `song_id`, `name`, `artist` and `duration_sec`, as the free-form objects of the
 * contract do. A complete `SongAnalysis` is kept as it is; from anything else the members of the contract are taken.
 * @param position counted from 1; used as id and name of a song that has none
 */
export function parseSong(raw: unknown, position: number): AnalyzedSong {
  const record = isRecord(raw) ? raw : {};
  const complete = SongAnalysis.safeParse(raw);
  return {
    song_id: textIn(record, 'song_id') ?? textIn(record, 'songId') ?? `song${position}`,
    name: textIn(record, 'name') ?? `Song ${position}`,
    artist: textIn(record, 'artist') ?? '',
    analysis: complete.success ? complete.data : parseAnalysis(record),
  };
}

function parseAnalysis(record: Record<string, unknown>): SongAnalysis {
  const read = readScoringInput(record);
  const duration = toNumber(record['duration_sec']) ?? 0;
  const harmonic = isRecord(record['harmonic']) ? record['harmonic'] : {};
  const chords = toList(harmonic['chord_progression']);
  return {
    version: textIn(record, 'version') ?? 'unknown',
    duration_sec: duration > 0 ? duration : null,
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

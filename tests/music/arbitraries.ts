/** Random songs for property tests: analyses from the contract's members only to complete ones. */
import fc from 'fast-check';
import type { AnalyzedSong, SongAnalysis } from '../../schema.ts';

const PITCHES = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'];
const unit = fc.double({ min: 0, max: 1, noNaN: true });

const key = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.tuple(fc.constantFrom(...PITCHES), fc.constantFrom('major', 'minor')).map((parts) => parts.join(' ')),
  },
  { weight: 1, arbitrary: fc.constant('N/A') },
);

const minimal: fc.Arbitrary<SongAnalysis> = fc
  .record({
    duration: fc.option(fc.double({ min: 5, max: 400, noNaN: true }), { freq: 5 }),
    bpm: fc.double({ min: 45, max: 210, noNaN: true }),
    key,
    confidence: unit,
    beat: unit,
    vocals: unit,
    range: fc.double({ min: 0, max: 40, noNaN: true }),
    brightness: fc.double({ min: 0, max: 12_000, noNaN: true }),
    timbre: fc.boolean(),
  })
  .map((r) => ({
    version: 'random',
    duration_sec: r.duration,
    harmonic: { key: r.key, key_confidence: r.confidence, chord_progression: [], chord_complexity: r.confidence },
    rhythmic: { bpm: r.bpm, beat_confidence: r.beat, groove_stability: r.beat, swing_factor: 0 },
    spectral: {
      mfccs: r.timbre ? Array.from({ length: 13 }, (_, i) => [Math.cos(i * r.bpm) * 50]) : [],
      dynamic_range: r.range,
      brightness: r.brightness,
    },
    vocal: { vocal_presence: r.vocals },
    has_timbre: r.timbre,
  }));

/** Adds beats, chroma, bands, curves and sections for the length of the song. */
function complete(base: SongAnalysis, meter: number, wave: number): SongAnalysis {
  const duration = base.duration_sec ?? 60;
  const beatSec = 60 / base.rhythmic.bpm;
  const beats = Array.from({ length: Math.max(1, Math.floor(duration / beatSec)) }, (_, i) => i * beatSec);
  const curve = (speed: number): { hop_sec: number; values: number[] } => ({
    hop_sec: 0.5,
    values: Array.from({ length: Math.ceil(duration * 2) }, (_, i) => (Math.sin(i * speed * wave) + 1) / 2),
  });
  /** The curve without values that mean silence. */
  const above = (floor: number, { hop_sec, values }: ReturnType<typeof curve>): ReturnType<typeof curve> => ({
    hop_sec,
    values: values.map((value) => floor + (1 - floor) * value),
  });
  return {
    ...base,
    harmonic: {
      ...base.harmonic,
      beat_chroma: beats.map((_, i) => Array.from({ length: 12 }, (_unused, p) => (Math.cos(i * wave + p) + 1) / 2)),
    },
    rhythmic: {
      ...base.rhythmic,
      meter,
      beats_sec: beats,
      downbeats_sec: beats.filter((_, i) => i % meter === 0),
      beat_bands: beats.map((_, i) => [i % 2, (i + 1) % 2, wave]),
    },
    vocal: { ...base.vocal, curve: curve(0.05) },
    energy: { mean: 0.5, curve: above(0.15, curve(0.03)) },
    sections: [0, 1, 2].map((i) => ({
      start_sec: (i * duration) / 3,
      end_sec: ((i + 1) * duration) / 3,
      label: 'ABC'[i] ?? 'A',
      energy: (i + 1) / 3,
      vocal_presence: i === 1 ? 1 : 0,
    })),
  };
}

const analysis = fc
  .tuple(minimal, fc.boolean(), fc.constantFrom(3, 4, 4, 4, 6), unit)
  .map(([base, full, meter, wave]) => (full ? complete(base, meter, wave) : base));

/** Two or three songs with ids `a`, `b`, `c` and random texts as names. */
export const songs: fc.Arbitrary<AnalyzedSong[]> = fc
  .array(fc.tuple(analysis, fc.string({ maxLength: 40 }), fc.string({ maxLength: 40 })), { minLength: 2, maxLength: 3 })
  .map((list) =>
    list.map(([each, name, artist], index) => ({ song_id: 'abc'[index] ?? 'a', name, artist, analysis: each })),
  );

/** A complete song without random values. */
export function makeSong(
  id: string,
  changes: {
    bpm?: number;
    key?: string;
    vocals?: number;
    duration?: number;
    meter?: number;
    name?: string;
    artist?: string;
  } = {},
): AnalyzedSong {
  const base: SongAnalysis = {
    version: 'made',
    duration_sec: changes.duration ?? 75,
    harmonic: {
      key: changes.key ?? 'A minor',
      key_confidence: 0.8,
      chord_progression: ['Am', 'F'],
      chord_complexity: 0.3,
    },
    rhythmic: { bpm: changes.bpm ?? 120, beat_confidence: 0.9, groove_stability: 0.9, swing_factor: 0 },
    spectral: { mfccs: Array.from({ length: 13 }, (_, i) => [100 / (i + 1)]), dynamic_range: 14, brightness: 2_200 },
    vocal: { vocal_presence: changes.vocals ?? 0.5 },
    has_timbre: true,
  };
  const analysed = complete(base, changes.meter ?? 4, 0.37);
  return {
    song_id: id,
    name: changes.name ?? `Song ${id}`,
    artist: changes.artist ?? `Artist ${id}`,
    analysis: analysed,
  };
}

/**
 * Musical shapes: what is known of a song, of a pair of songs, and what a plan is.
 *
 * Units: seconds (`_sec`), beats per minute (`bpm`), decibels (`_db`, `_dbtp`, `_lufs`), hertz. Scores are 0..100,
 * confidences, presences and energies 0..1.
 */
import { z } from 'zod';
import { OUTPUT_FORMATS, STEMS } from './constants.ts';

export { OUTPUT_FORMATS, STEMS };

export const Stem = z.enum(STEMS);
export type Stem = z.infer<typeof Stem>;

export const OutputFormat = z.enum(OUTPUT_FORMATS);
export type OutputFormat = z.infer<typeof OutputFormat>;

const unit = z.number().min(0).max(1);

/** A stretch of a song with one character. `label` is intro, verse, chorus, break, outro where the signal tells, else A, B, C. */
export const SongSection = z.object({
  start_sec: z.number().min(0),
  end_sec: z.number().min(0),
  label: z.string(),
  energy: unit,
  vocal_presence: unit,
});
export type SongSection = z.infer<typeof SongSection>;

/** A curve sampled at a constant step: value i covers [i * hop_sec, (i + 1) * hop_sec). */
export const Curve = z.object({ hop_sec: z.number().positive(), values: z.array(z.number()) });
export type Curve = z.infer<typeof Curve>;

/**
 * What is known of one song, in the form the engine stores and passes on. The four groups of the services' contract
 * (harmonic, rhythmic, spectral, vocal) are always there; everything optional is there when the built-in analysis made
 * it and may be missing when another service did. `mfccs` holds 13 rows of one mean each.
 */
export const SongAnalysis = z.object({
  version: z.string(),
  /** What is odd about the file, in sentences. */
  warnings: z.array(z.string()).optional(),
  duration_sec: z.number().positive().nullable(),
  harmonic: z.object({
    /** `C# minor` form, or `N/A` where no key can be told. */
    key: z.string(),
    key_confidence: unit,
    camelot: z.string().nullable().optional(),
    chord_progression: z.array(z.string()),
    chord_complexity: unit,
    chords: z.array(z.object({ start_sec: z.number(), end_sec: z.number(), label: z.string() })).optional(),
    /** Twelve pitch classes (C first) for each beat, each row scaled to a maximum of 1; row i belongs to `beats_sec[i]`. */
    beat_chroma: z.array(z.array(z.number()).length(12)).optional(),
  }),
  rhythmic: z.object({
    bpm: z.number().positive(),
    beat_confidence: unit,
    /** 1 is a machine, 0 is free time. */
    groove_stability: unit,
    swing_factor: unit,
    tempo_alternatives: z.array(z.object({ bpm: z.number().positive(), confidence: unit })).optional(),
    beats_sec: z.array(z.number()).optional(),
    downbeats_sec: z.array(z.number()).optional(),
    /** Beats in a bar. */
    meter: z.number().int().min(2).max(7).optional(),
    /** Low, mid and high band energy for each beat, 0..1; row i belongs to `beats_sec[i]`. */
    beat_bands: z.array(z.array(z.number()).length(3)).optional(),
  }),
  spectral: z.object({
    mfccs: z.array(z.array(z.number()).length(1)),
    dynamic_range: z.number(),
    brightness: z.number().min(0),
  }),
  vocal: z.object({ vocal_presence: unit, curve: Curve.optional() }),
  energy: z.object({ mean: unit, curve: Curve }).optional(),
  loudness: z.object({ integrated_lufs: z.number(), true_peak_dbtp: z.number() }).optional(),
  sections: z.array(SongSection).optional(),
  /** Peak magnitudes 0..1 at a constant rate, for drawing. */
  waveform: z.object({ peaks_per_sec: z.number().positive(), peaks: z.array(z.number()) }).optional(),
  /** False where the service gave no timbre (no MFCCs): spectral similarity is then left out of the score. */
  has_timbre: z.boolean(),
});
export type SongAnalysis = z.infer<typeof SongAnalysis>;

/** A song as planning and rendering see it. */
export type AnalyzedSong = { song_id: string; name: string; artist: string; analysis: SongAnalysis };

/** Weights of the four dimensions of a pair score; they need not sum to one, but their sum must be positive. */
export const ScoreWeights = z.object({
  harmonic: z.number().min(0).default(0.35),
  rhythmic: z.number().min(0).default(0.35),
  spectral: z.number().min(0).default(0.15),
  vocal: z.number().min(0).default(0.15),
});
export type ScoreWeights = z.infer<typeof ScoreWeights>;

const score = z.number().min(0).max(100);

/** One way of laying song A's vocals over song B's bed: where, how far to shift and stretch, and how well that fits. */
export const PhraseMatch = z.object({
  vocals_song_id: z.string(),
  bed_song_id: z.string(),
  vocals_start_sec: z.number().min(0),
  bed_start_sec: z.number().min(0),
  bars: z.number().int().positive(),
  key_shift: z.number().int().min(-6).max(6),
  /** 0.5, 1 or 2: the vocal song's tempo is read at this multiple before it is matched. */
  tempo_multiple: z.number().positive(),
  similarity: unit,
});
export type PhraseMatch = z.infer<typeof PhraseMatch>;

/** How well two songs go together: the contract's scores, bounded, and what makes them useful. */
export const PairScore = z.object({
  song_pair: z.tuple([z.string(), z.string()]),
  score,
  raw_score: z.number(),
  dimension_scores: z.object({ harmonic: score, rhythmic: score, spectral: score, vocal: score }),
  compatibility_breakdown: z.record(z.string(), z.record(z.string(), z.number())),
  recommendations: z.array(z.string()),
  warnings: z.array(z.string()),
  phrases: z.array(PhraseMatch).default([]),
  source: z.enum(['service', 'local']),
});
export type PairScore = z.infer<typeof PairScore>;

/**
 * How a layer lies in time. `beat`: stretched along its beats to the section's tempo. `free`: at the song's own speed, for voices
 * and harmonies of a song whose tempo is too far away, where no other song's drums play.
 */
export const LayerTiming = z.enum(['beat', 'free']);
export type LayerTiming = z.infer<typeof LayerTiming>;

/** One stem of one song in a section. */
export const PlanLayer = z.object({
  songId: z.string().min(1),
  stem: Stem,
  volume_db: z.number().min(-60).max(12),
  effects: z.array(z.string()),
  /** Where in the song the layer starts, in the song's own seconds; snapped to the nearest downbeat. Absent: best phrase. */
  source_start_sec: z.number().min(0).optional(),
  /** Absent: `beat`. */
  timing: LayerTiming.optional(),
  why: z.string().optional(),
});
export type PlanLayer = z.infer<typeof PlanLayer>;

export const PlanSection = z.object({
  time_start_sec: z.number().min(0),
  duration_sec: z.number().positive(),
  description: z.string(),
  energy_level: unit,
  /** Tempo of this section where it is not the mashup's: songs too far apart in tempo take turns. */
  tempo_bpm: z.number().min(40).max(240).optional(),
  layers: z.array(PlanLayer),
});
export type PlanSection = z.infer<typeof PlanSection>;

/** The whole mashup on paper. Sections are in order, on bars, without gaps. */
export const Masterplan = z.object({
  title: z.string().min(1),
  artistCredits: z.string(),
  global: z.object({
    targetBPM: z.number().min(40).max(240),
    /** `A minor` form; read without regard to case. */
    targetKey: z.string(),
    timeSignature: z.tuple([z.number().int().positive(), z.number().int().positive()]),
  }),
  timeline: z.array(PlanSection).min(1),
  problems_and_solutions: z.array(z.object({ problem: z.string(), solution: z.string() })),
});
export type Masterplan = z.infer<typeof Masterplan>;

/** What planning answers: the vision in words and the masterplan. */
export const Plan = z.object({ creative_vision: z.string().min(1), masterplan: Masterplan });
export type Plan = z.infer<typeof Plan>;

/** What a user may ask of a mashup. All optional; the engine chooses otherwise. */
export const MashupOptions = z.object({
  format: OutputFormat.default('wav'),
  /** Wanted length. Default: chosen by the producer within the limits. */
  length_sec: z.number().min(20).max(600).optional(),
  /** The user's wishes in words. */
  wishes: z.string().max(500).optional(),
});
export type MashupOptions = z.infer<typeof MashupOptions>;

/** One measurement of the automated ear. A `value` of null could not be measured, and passes. */
export const QualityCheck = z.object({
  name: z.string(),
  value: z.number().nullable(),
  threshold: z.number(),
  bound: z.enum(['at_most', 'at_least']),
  unit: z.string(),
  passed: z.boolean(),
  /** A hard check that fails means a faulty mashup; a warning is a matter of taste or of the songs. */
  kind: z.enum(['hard', 'warn']),
});
export type QualityCheck = z.infer<typeof QualityCheck>;

/** What the automated ear says of a mashup. `corrections` tell in words what was changed because of a first hearing. */
export const QualityReport = z.object({
  passed: z.boolean(),
  corrections: z.array(z.string()),
  checks: z.array(QualityCheck),
});
export type QualityReport = z.infer<typeof QualityReport>;

/** What was measured on a rendered file. */
export const RenderResult = z.object({
  duration_sec: z.number().positive(),
  loudness_lufs: z.number(),
  true_peak_dbtp: z.number(),
  sample_rate: z.number().int().positive(),
  channels: z.number().int().positive(),
  format: OutputFormat,
  bytes: z.number().int().positive(),
  bpm: z.number().positive(),
  key: z.string(),
  waveform: z.object({ peaks_per_sec: z.number().positive(), peaks: z.array(z.number()) }).optional(),
  quality: QualityReport.optional(),
  warnings: z.array(z.string()).default([]),
});
export type RenderResult = z.infer<typeof RenderResult>;

/**
 * Musical data: the analysis of a song, the score of a pair of songs, the plan of a mashup, the result of rendering.
 *
 * Units: seconds (`_sec`), beats per minute (`bpm`), decibels (`_db`, `_dbtp`, `_lufs`), hertz. Scores are 0..100,
 * confidences, presences and energies 0..1.
 */
import { z } from 'zod';
import { OUTPUT_FORMATS, OWN_STEMS, STEMS } from './constants.ts';

export { OUTPUT_FORMATS, OWN_STEMS, STEMS };

export const Stem = z.enum(STEMS).describe('One of the four parts of a song.');
export type Stem = z.infer<typeof Stem>;

export const OwnStem = z
  .enum(OWN_STEMS)
  .describe('A stem that a user gives with a song. `instrumental`: all but the vocals.');
export type OwnStem = z.infer<typeof OwnStem>;

export const OutputFormat = z.enum(OUTPUT_FORMATS).describe('File format of a mashup.');
export type OutputFormat = z.infer<typeof OutputFormat>;

const unit = z.number().min(0).max(1);
const seconds = z.number().min(0);

export const SongSection = z
  .object({
    start_sec: seconds,
    end_sec: seconds,
    label: z.string().describe('intro, verse, chorus, break or outro if the signal shows it, otherwise A, B, C.'),
    energy: unit,
    vocal_presence: unit,
  })
  .describe('A stretch of a song with one character.');
export type SongSection = z.infer<typeof SongSection>;

export const Curve = z
  .object({ hop_sec: z.number().positive(), values: z.array(z.number()) })
  .describe('A curve with a constant step: value i covers [i * hop_sec, (i + 1) * hop_sec).');
export type Curve = z.infer<typeof Curve>;

const Waveform = z
  .object({
    peaks_per_sec: z.number().positive(),
    peaks: z.array(z.number()).describe('Peak magnitudes, 0..1.'),
  })
  .describe('Peak magnitudes at a constant rate, for drawing.');

export const TempoPart = z
  .object({
    start_sec: seconds,
    end_sec: seconds,
    bpm: z.number().positive(),
    meter: z.number().int().min(2).max(7).nullable().describe('Beats per bar. Null: no known meter.'),
  })
  .describe('A part of a song with one tempo and meter, between two downbeats.');
export type TempoPart = z.infer<typeof TempoPart>;

export const CONTENT_KINDS = ['full', 'acapella', 'instrumental'] as const;
export const SongContent = z
  .enum(CONTENT_KINDS)
  .describe('`acapella`: only voices. `instrumental`: no voice. `full`: anything else.');
export type SongContent = z.infer<typeof SongContent>;

/**
 * The analysis of one song, in the form that the engine stores and passes on. The four groups of the services' contract
 * (harmonic, rhythmic, spectral, vocal) are always present. Optional members are present in analyses of the built-in
 * service and may be missing in those of other services.
 */
export const SongAnalysis = z
  .object({
    version: z.string(),
    warnings: z.array(z.string()).optional().describe('Peculiarities of the file, in sentences.'),
    duration_sec: z.number().positive().nullable(),
    harmonic: z.object({
      key: z
        .string()
        .describe('In the form `C# minor` or `Bb major`, spelled as musicians do, or `N/A` if the key is unknown.'),
      key_confidence: unit,
      camelot: z.string().nullable().optional().describe('Camelot code of the key: A minor is `8A`.'),
      tuning_cents: z
        .number()
        .min(-50)
        .max(50)
        .optional()
        .describe('Deviation of the tuning from A = 440 Hz, in cents.'),
      tuning_confidence: unit.optional(),
      chord_progression: z.array(z.string()),
      chord_complexity: unit.describe('Number of distinct chords, divided by 24.'),
      chords: z.array(z.object({ start_sec: z.number(), end_sec: z.number(), label: z.string() })).optional(),
      beat_chroma: z
        .array(z.array(z.number()).length(12))
        .optional()
        .describe(
          'Twelve pitch classes (C first) for each beat, each row scaled to a maximum of 1. Row i belongs to `beats_sec[i]`.',
        ),
    }),
    rhythmic: z.object({
      bpm: z.number().positive(),
      beat_confidence: unit,
      groove_stability: unit.describe('1 for a constant tempo, 0 for free time.'),
      swing_factor: unit,
      tempo_alternatives: z.array(z.object({ bpm: z.number().positive(), confidence: unit })).optional(),
      beats_sec: z.array(z.number()).optional(),
      downbeats_sec: z.array(z.number()).optional(),
      meter: z.number().int().min(2).max(7).nullish().describe('Beats per bar. Null: no known meter.'),
      has_beat: z
        .boolean()
        .optional()
        .describe('False for sound without a beat, such as speech, drones and free time: its times are no beat grid.'),
      tempo_parts: z
        .array(TempoPart)
        .optional()
        .describe(
          'Present if the tempo or the meter changes: the parts of the song, in order. Then `bpm` is that of the longest.',
        ),
      beat_bands: z
        .array(z.array(z.number()).length(3))
        .optional()
        .describe('Energy of the low, mid and high band for each beat, 0..1. Row i belongs to `beats_sec[i]`.'),
    }),
    spectral: z.object({
      mfccs: z.array(z.array(z.number()).length(1)).describe('13 rows with one mean each.'),
      dynamic_range: z.number().describe('In decibels.'),
      brightness: z.number().min(0).describe('Mean spectral centroid in hertz.'),
    }),
    vocal: z.object({
      vocal_presence: unit,
      voices_alone: unit
        .optional()
        .describe('Evidence that the song has voices alone: one pitch at a time, no drums, pauses.'),
      curve: Curve.optional(),
    }),
    energy: z.object({ mean: unit, curve: Curve }).optional(),
    loudness: z.object({ integrated_lufs: z.number(), true_peak_dbtp: z.number() }).optional(),
    sections: z.array(SongSection).optional(),
    waveform: Waveform.optional(),
    content: SongContent.optional(),
    tagged_content: SongContent.optional().describe(
      'What the title tag of the file calls the song, such as `Halo (Acapella)`. It decides only where the sound is not clear.',
    ),
    fingerprint: z
      .base64()
      .max(2_000)
      .optional()
      .describe(
        'Describes the sound of the whole song. Equal recordings in different encodings have similar fingerprints.',
      ),
    has_timbre: z
      .boolean()
      .describe('False if the service returned no MFCCs: the score then leaves out the spectral similarity.'),
  })
  .describe('The analysis of one song.');
export type SongAnalysis = z.infer<typeof SongAnalysis>;

/** A song with its analysis, as planning and rendering use it. */
export type AnalyzedSong = { song_id: string; name: string; artist: string; analysis: SongAnalysis };

export const ScoreWeights = z
  .object({
    harmonic: z.number().min(0).default(0.35),
    rhythmic: z.number().min(0).default(0.35),
    spectral: z.number().min(0).default(0.15),
    vocal: z.number().min(0).default(0.15),
  })
  .describe('Weights of the four dimensions of a pair score. They need not sum to 1, but their sum must be positive.');
export type ScoreWeights = z.infer<typeof ScoreWeights>;

const score = z.number().min(0).max(100);

export const PhraseMatch = z
  .object({
    vocals_song_id: z.string(),
    bed_song_id: z.string(),
    vocals_start_sec: seconds,
    bed_start_sec: seconds,
    bars: z.number().int().positive(),
    key_shift: z.number().int().min(-6).max(6).describe('Semitones by which the vocals are shifted.'),
    tempo_multiple: z
      .number()
      .positive()
      .describe('0.5, 1 or 2: the tempo of the vocal song is multiplied by this before it is matched.'),
    similarity: unit,
  })
  .describe('A phrase of one song whose vocals fit a phrase of another song: positions, shift and similarity.');
export type PhraseMatch = z.infer<typeof PhraseMatch>;

export const PairScore = z
  .object({
    song_pair: z.tuple([z.string(), z.string()]),
    score,
    raw_score: z.number().describe('The score before it was clamped to 0..100.'),
    dimension_scores: z.object({ harmonic: score, rhythmic: score, spectral: score, vocal: score }),
    compatibility_breakdown: z
      .record(z.string(), z.record(z.string(), z.number()))
      .describe('The measures behind each dimension score.'),
    recommendations: z.array(z.string()),
    warnings: z.array(z.string()),
    phrases: z.array(PhraseMatch).default([]).describe('Best first.'),
    source: z.enum(['service', 'local']).describe('Whether the service or the worker computed the score.'),
  })
  .describe('How well two songs fit: the scores of the contract, clamped, and phrase matches.');
export type PairScore = z.infer<typeof PairScore>;

export const LayerTiming = z
  .enum(['beat', 'free'])
  .describe(
    'Time of a layer. `beat`: stretched along its beats to the tempo of the section. `free`: at the original speed of the song, for vocals and harmony of a song whose tempo is out of reach, where the drums of no other song play.',
  );
export type LayerTiming = z.infer<typeof LayerTiming>;

export const PlanLayer = z
  .object({
    songId: z.string().min(1),
    stem: Stem,
    volume_db: z.number().min(-60).max(12),
    effects: z.array(z.string()).describe('`name` or `name(key=value,…)`, from the list of effects.'),
    source_start_sec: seconds
      .optional()
      .describe('Position in the song where the layer starts, moved to the nearest downbeat. Absent: the best phrase.'),
    timing: LayerTiming.optional().describe('Absent: `beat`.'),
    why: z.string().optional().describe('Purpose of the layer, in one sentence.'),
  })
  .describe('One stem of one song in a section.');
export type PlanLayer = z.infer<typeof PlanLayer>;

export const PlanSection = z
  .object({
    time_start_sec: seconds,
    duration_sec: z.number().positive(),
    description: z.string(),
    energy_level: unit,
    tempo_bpm: z
      .number()
      .min(40)
      .max(240)
      .optional()
      .describe('Tempo of this section if it differs from `global.targetBPM`: for songs without a common tempo.'),
    layers: z.array(PlanLayer),
    muted: z.array(PlanLayer).optional().describe('Layers that the user has muted. They are not rendered.'),
  })
  .describe('A part of a mashup between two bar lines.');
export type PlanSection = z.infer<typeof PlanSection>;

export const Shift = z.number().int().min(-12).max(12).describe('Semitones by which the notes of a song are shifted.');

export const Masterplan = z
  .object({
    title: z.string().min(1),
    artistCredits: z.string().describe('In the form `A vs. B`.'),
    global: z.object({
      targetBPM: z.number().min(40).max(240),
      targetKey: z.string().describe('In the form `A minor`. Case does not matter.'),
      timeSignature: z.tuple([z.number().int().positive(), z.number().int().positive()]),
      shifts: z
        .record(z.string(), Shift)
        .optional()
        .describe(
          'Semitones by which the notes of each song are shifted, by song id, where a render found others than those to `targetKey`.',
        ),
    }),
    timeline: z.array(PlanSection).min(1),
    problems_and_solutions: z.array(z.object({ problem: z.string(), solution: z.string() })),
  })
  .describe('The arrangement of a mashup. Sections are in order, have whole bars and leave no gaps.');
export type Masterplan = z.infer<typeof Masterplan>;

export const Plan = z
  .object({ creative_vision: z.string().min(1), masterplan: Masterplan })
  .describe('A plan that has passed the checks: the idea in words and the arrangement.');
export type Plan = z.infer<typeof Plan>;

export const SeparationChoice = z
  .enum(['auto', 'classical', 'neural'])
  .describe('Method of the separation. `auto`: the model that the service is set to, otherwise the classical method.');
export type SeparationChoice = z.infer<typeof SeparationChoice>;

export const SongRoles = z
  .object({
    sings: z.string().min(1).max(64).optional().describe('Id of the song that sings.'),
    plays: z.string().min(1).max(64).optional().describe('Id of the song that gives drums and bass.'),
  })
  .describe('Which song sings and which one plays. Absent members: chosen by the planner.');
export type SongRoles = z.infer<typeof SongRoles>;

export const MashupLength = z
  .enum(['short', 'full'])
  .describe('`short`: about 1:30. `full`: 2:00 to 3:30, as far as the songs have enough music for it.');
export type MashupLength = z.infer<typeof MashupLength>;

export const MashupOptions = z
  .object({
    format: OutputFormat.default('wav'),
    length: MashupLength.optional().describe('How long the mashup is. Default: chosen by the songs.'),
    length_sec: z
      .number()
      .min(20)
      .max(600)
      .optional()
      .describe('Exact length in seconds, as near as whole phrases allow. It replaces `length`.'),
    wishes: z.string().max(500).optional().describe("The user's wishes, as text."),
    roles: SongRoles.optional().describe('Which song sings, which one plays. Default: chosen by the planner.'),
    separation: SeparationChoice.optional().describe('What separates the songs. Default: `auto`.'),
    studio_version: z
      .boolean()
      .optional()
      .describe(
        'Whether the first result is made with classical stems and a second one with those of a model, which replaces it. Default: the setting `studio_version_by_default`.',
      ),
  })
  .describe('What a user may ask of a mashup. Everything is optional.');
export type MashupOptions = z.infer<typeof MashupOptions>;

export const QualityCheck = z
  .object({
    name: z.string(),
    value: z.number().nullable().describe('The measured value. Null: it could not be measured, and the check passes.'),
    threshold: z.number(),
    bound: z.enum(['at_most', 'at_least']),
    unit: z.string(),
    passed: z.boolean(),
    kind: z
      .enum(['hard', 'warn'])
      .describe('A failed hard check means a faulty mashup. A warning is a matter of taste.'),
    message: z.string().optional().describe('What a failed check means to a listener, in a sentence with its values.'),
  })
  .describe('A measurement of a rendered mashup against a threshold.');
export type QualityCheck = z.infer<typeof QualityCheck>;

export const QualityReport = z
  .object({
    passed: z.boolean(),
    corrections: z.array(z.string()).describe('Changes after failed checks of an earlier candidate, in sentences.'),
    checks: z.array(QualityCheck),
  })
  .describe('The quality checks of a rendered mashup.');
export type QualityReport = z.infer<typeof QualityReport>;

export const Mastering = z
  .object({
    gain_db: z.number().describe('Gain of the mix before the limiter.'),
    ceiling_db: z.number().describe('Largest true peak that the limiter lets through, in dBTP.'),
  })
  .describe('How a mix was mastered. The same mix and values give the same master.');
export type Mastering = z.infer<typeof Mastering>;

export const AsRendered = z
  .object({
    sections: z
      .array(z.object({ index: z.number().int().min(0), layers: z.array(PlanLayer) }))
      .describe('Sections whose layers differ from those of the plan, by their positions in the timeline.'),
    shifts: z
      .record(z.string(), z.number())
      .describe('Semitones by which the notes of each song are shifted, by song id; drums are not.'),
  })
  .describe('What a mashup plays where corrections of the renderer changed its plan.');
export type AsRendered = z.infer<typeof AsRendered>;

export const RenderResult = z
  .object({
    duration_sec: z.number().positive(),
    loudness_lufs: z.number(),
    true_peak_dbtp: z.number(),
    sample_rate: z.number().int().positive(),
    channels: z.number().int().positive(),
    format: OutputFormat,
    bytes: z.number().int().positive(),
    bpm: z.number().positive(),
    key: z.string(),
    waveform: Waveform.optional(),
    quality: QualityReport.optional(),
    mastering: Mastering.optional(),
    as_rendered: AsRendered.optional().catch(undefined).describe('Absent: the mashup plays what the plan says.'),
    warnings: z.array(z.string()).default([]),
  })
  .describe('Measurements of a rendered file.');
export type RenderResult = z.infer<typeof RenderResult>;

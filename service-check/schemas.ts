/** Responses by the contract, as callers that know nothing of the built-in services read them. */
import { z } from 'zod';
import { STEMS } from '../schema/constants.ts';

const share = z.number().min(0).max(1);

export const ContractDetail = z.looseObject({
  detail: z.union([
    z.string().min(1),
    z.array(z.looseObject({ loc: z.array(z.union([z.string(), z.number()])), msg: z.string() })).min(1),
  ]),
});

/** The `analysis` of `POST /analyze`. */
export const ContractAnalysis = z.looseObject({
  version: z.string(),
  harmonic: z.looseObject({
    key: z.string(),
    key_confidence: z.number().min(-1).max(1),
    chord_progression: z.array(z.string()),
    chord_complexity: share,
  }),
  rhythmic: z.looseObject({
    bpm: z.number().min(0),
    beat_confidence: share,
    groove_stability: z.number().min(0),
    swing_factor: z.number(),
  }),
  spectral: z.looseObject({
    mfccs: z.array(z.array(z.number()).min(1)),
    dynamic_range: z.number(),
    brightness: z.number().min(0),
  }),
  vocal: z.looseObject({ vocal_presence: z.number() }),
});

const scores = z.looseObject({ harmonic: z.number(), rhythmic: z.number(), spectral: z.number(), vocal: z.number() });

/** The response of `POST /calculate-mashability`. */
export const ContractScore = z.looseObject({
  overall_score: z.number(),
  dimension_scores: scores,
  compatibility_breakdown: z.record(z.string(), z.looseObject({})),
  recommendations: z.array(z.string()),
  warnings: z.array(z.string()),
});

/** The response of `POST /create-masterplan`. */
export const ContractPlan = z.looseObject({
  creative_vision: z.string().min(1),
  masterplan: z.looseObject({
    title: z.string(),
    timeline: z
      .array(
        z.looseObject({
          time_start_sec: z.number().min(0),
          duration_sec: z.number().positive(),
          layers: z.array(z.looseObject({ songId: z.string(), stem: z.string() })),
        }),
      )
      .min(1),
  }),
});

/** The response of `POST /separate`. */
export const ContractStems = z.looseObject({
  success: z.literal(true),
  job_id: z.string(),
  stems: z.looseObject(Object.fromEntries(STEMS.map((stem) => [stem, z.string().min(1)]))),
});

/** Says in words where a value differs from a schema; undefined if it does not. */
export function mismatch(schema: z.ZodType, value: unknown): string | undefined {
  const parsed = schema.safeParse(value);
  if (parsed.success) return undefined;
  const faults = parsed.error.issues
    .slice(0, 3)
    .map(({ path, message }) => `${path.join('.') || 'the body'}: ${message}`);
  return faults.join('; ');
}

/** The strict JSON schema that binds the model's answer, derived from the one zod schema of a plan. */
import { transformJSONSchema } from '@anthropic-ai/sdk/lib/transform-json-schema';
import { z } from 'zod';
import { LayerTiming, Plan, PlanLayer, PlanSection, Stem } from '../../schema.ts';

/**
 * The schema for these songs and stems: nothing else can be named in a layer. Tempo, timing, where and why are
 * optional in a plan and asked of the model; a revision also says what it changed.
 */
export function planFormat(
  songIds: readonly string[],
  stems: readonly Stem[],
  isRevision: boolean,
): Record<string, unknown> {
  const layer = PlanLayer.extend({
    songId: z.enum(songIds),
    stem: z.enum(stems),
    source_start_sec: z.number().min(0),
    timing: LayerTiming,
    why: z.string(),
  });
  const masterplan = Plan.shape.masterplan;
  const bound = Plan.extend({
    ...(isRevision ? { changes: z.array(z.string()) } : {}),
    masterplan: masterplan.extend({
      // Structured output knows lists of one kind, not tuples.
      global: masterplan.shape.global.extend({ timeSignature: z.array(z.number().int()) }),
      timeline: z.array(PlanSection.extend({ tempo_bpm: z.number(), layers: z.array(layer) })).min(1),
    }),
  });
  return transformJSONSchema(z.toJSONSchema(bound) as Parameters<typeof transformJSONSchema>[0]);
}

/** The strict JSON schema that the model's response must match, derived from the zod schema of a plan. */
import { transformJSONSchema } from '@anthropic-ai/sdk/lib/transform-json-schema';
import { z } from 'zod';
import { LayerTiming, Plan, PlanLayer, PlanSection, Stem } from '../../schema.ts';

/**
 * Returns the JSON schema of a plan in which layers can name only these songs and stems. Tempo, timing, source position
 * and reason are optional in a plan but required of the model. A revision also lists its changes, and a plan with wishes what was not understood.
 */
export function planFormat(
  songIds: readonly string[],
  stems: readonly Stem[],
  lists: { isRevision: boolean; hasWishes: boolean },
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
    ...(lists.isRevision ? { changes: z.array(z.string()) } : {}),
    ...(lists.hasWishes ? { not_understood: z.array(z.string()) } : {}),
    masterplan: masterplan.extend({
      // Structured output does not support tuples.
      global: masterplan.shape.global.omit({ shifts: true }).extend({ timeSignature: z.array(z.number().int()) }),
      timeline: z
        .array(PlanSection.omit({ muted: true }).extend({ tempo_bpm: z.number(), layers: z.array(layer) }))
        .min(1),
    }),
  });
  // With an empty registry the schema has no descriptions and no named definitions: the prompt explains the members.
  const jsonSchema = z.toJSONSchema(bound, { metadata: z.registry() });
  return transformJSONSchema(jsonSchema as Parameters<typeof transformJSONSchema>[0]);
}

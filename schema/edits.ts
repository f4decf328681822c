/**
 * Edits of a plan by hand. Sections are named by their index in the plan that is edited, from 0; the index stays the same while
 * other sections are removed or repeated. The n-th `repeat_section` of a list names its new section by the number of sections of
 * the plan plus n, from 0.
 */
import { z } from 'zod';
import { MAX_PLAN_EDITS, STEMS } from './constants.ts';

const section = z.number().int().min(0).max(127).describe('Index of a section in the plan that is edited, from 0.');
const song = z.string().min(1).max(64).describe('Id of a song of the mashup.');
const stem = z.enum(STEMS);
const layer = { section, song_id: song, stem };

export const MoveEdge = z
  .object({ kind: z.literal('move_edge'), section, bars: z.number().int().min(-64).max(64) })
  .describe(
    'Moves the edge after a section by whole bars: later if positive. The section gets longer and the next one shorter; what plays outside the moved part stays. The edge after the last section is the end of the mashup.',
  );

export const PlanEdit = z
  .discriminatedUnion('kind', [
    MoveEdge,
    z.object({ kind: z.literal('remove_section'), section }),
    z.object({ kind: z.literal('repeat_section'), section }).describe('Plays a section once more, after itself.'),
    z
      .object({ kind: z.literal('layer_level'), ...layer, db: z.number().min(-40).max(6) })
      .describe('Sets the level of a layer, in decibels.'),
    z.object({ kind: z.literal('mute_layer'), ...layer }).describe('Leaves out a layer. The plan remembers it.'),
    z.object({ kind: z.literal('unmute_layer'), ...layer }).describe('Lets a muted layer play again.'),
    z.object({ kind: z.literal('swap_songs') }).describe('Exchanges the song that sings and the song that plays.'),
    z
      .object({ kind: z.literal('roles'), sings: song.optional(), plays: song.optional() })
      .refine(({ sings, plays }) => sings !== undefined || plays !== undefined, 'sings or plays is required')
      .describe('Takes the vocals from one song, drums and bass from another.'),
  ])
  .describe('One edit of a plan.');
export type PlanEdit = z.infer<typeof PlanEdit>;

export const PlanEdits = z
  .object({
    plan_version: z
      .number()
      .int()
      .min(1)
      .describe('Version of the plan that is edited. If the mashup has another plan by now, the edits are refused.'),
    edits: z.array(PlanEdit).min(1).max(MAX_PLAN_EDITS).describe('Applied in this order.'),
  })
  .describe('A list of edits of one plan.');
export type PlanEdits = z.infer<typeof PlanEdits>;

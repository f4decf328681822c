/** Makes a new version of a mashup from edits of its plan by hand. Edits that are not possible are refused before anything is rendered. */
import { z } from 'zod';
import { MashupDocument, Submission } from '../../../schema/api.ts';
import type { EditAnswer, EditRequest } from '../../../schema/api.ts';
import type { Plan, SongAnalysis } from '../../../schema/music.ts';
import { applyEdits } from '../../../music/edits/apply-edits.ts';
import { DEFAULT_PLAN_LIMITS } from '../../../music/plan/limits.ts';
import { ApiError } from '../_shared/api-error.ts';
import { createFunctionApp } from '../_shared/app.ts';
import { requireUser } from '../_shared/caller.ts';
import { callFunction } from '../_shared/rpc.ts';
import { idempotencyKeyOf } from '../_shared/validation.ts';
import { parseRequest } from './request.ts';

const FAILURE = 'Failed to edit the mashup';

/** A document that the engine has checked when it stored it; it may be megabytes. */
const stored = <T extends object>(): z.ZodType<T> =>
  z.custom<T>((value) => typeof value === 'object' && value !== null && !Array.isArray(value));

const Parent = MashupDocument.extend({
  plan_version: z.number().nullable(),
  plan: stored<Plan>().nullable(),
  songs: z.array(
    z.looseObject({ song_id: z.string(), name: z.string(), artist: z.string().nullish(), state: z.string() }),
  ),
});
type Parent = z.infer<typeof Parent>;

const Material = z.object({
  analyses: z.record(z.string(), stored<SongAnalysis>()).nullable(),
  limits: z.object({ min_length_sec: z.number(), max_length_sec: z.number() }),
});

const app = createFunctionApp(
  { failure: FAILURE, authenticate: requireUser },
  async ({ request, caller: { supabase }, body }): Promise<EditAnswer> => {
    const { jobId, plan_version, edits, idempotency_key } = parseRequest(body);
    const parent = await callFunction(supabase, 'get_mashup', { job_id: jobId }, Parent.nullable(), FAILURE);
    // Of a mashup without this plan the database says what is wrong.
    if (parent?.plan && parent.plan_version === plan_version) {
      const material = await callFunction(supabase, 'get_mashup_analyses', { job_id: jobId }, Material, FAILURE);
      refuseImpossible(parent.plan, edits, parent.songs, material);
    }
    const parameters = {
      p_job_id: jobId,
      p_edits: { plan_version, edits },
      p_idempotency_key: idempotencyKeyOf(request, idempotency_key) ?? null,
    };
    const submission = await callFunction(supabase, 'edit_mashup', parameters, Submission, FAILURE);
    return {
      success: true,
      jobId: submission.job_id,
      parent_id: jobId,
      existing: submission.existing,
      estimated_completion_at: submission.estimated_completion_at,
    };
  },
);

/** @throws ApiError 422 `edit_not_possible` */
function refuseImpossible(
  plan: Plan,
  edits: EditRequest['edits'],
  cards: Parent['songs'],
  { analyses, limits }: z.infer<typeof Material>,
): void {
  const songs = cards.flatMap(({ song_id, name, artist, state }) => {
    const analysis = analyses?.[song_id];
    return analysis === undefined || state === 'excluded' ? [] : [{ song_id, name, artist: artist ?? '', analysis }];
  });
  const result = applyEdits(plan, edits, { songs, limits: { ...DEFAULT_PLAN_LIMITS, ...limits } });
  if (!('refused' in result)) return;
  const { at, reason } = result.refused;
  throw new ApiError(422, 'edit_not_possible', `Edit ${at + 1} is not possible. ${reason}`, {
    hint: 'Change or leave out this edit.',
    details: reason,
  });
}

Deno.serve(app.fetch);

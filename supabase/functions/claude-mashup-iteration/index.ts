/** Makes a new version of a mashup from the user's feedback: a new job that renders again. */
import { z } from 'zod';
import { MashupDocument, Submission } from '../../../schema/api.ts';
import type { IterationAnswer } from '../../../schema/api.ts';
import { toMashupSections } from '../../../music/plan/timeline.ts';
import { createFunctionApp } from '../_shared/app.ts';
import { requireUser } from '../_shared/caller.ts';
import { callFunction } from '../_shared/rpc.ts';
import { idempotencyKeyOf } from '../_shared/validation.ts';
import { refuseFulfilledText, refuseUnreadText } from '../_shared/wishes.ts';
import { parseRequest } from './request.ts';

const FAILURE = 'Failed to get revised creative direction';
/** The older screen also sends whole analyses, megabytes of them. They are not read. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

const Parent = MashupDocument.extend({
  songs: z.array(z.looseObject({ song_id: z.string(), name: z.string(), artist: z.string().nullish() })),
});

const app = createFunctionApp(
  { failure: FAILURE, authenticate: requireUser, maxBodyBytes: MAX_BODY_BYTES },
  async ({ request, caller: { supabase }, body }): Promise<IterationAnswer> => {
    const { jobId, userFeedback, options, idempotency_key } = parseRequest(body);
    const parameters = {
      parent_id: jobId,
      feedback: userFeedback,
      options: options ?? {},
      idempotency_key: idempotencyKeyOf(request, idempotency_key) ?? null,
    };
    const parent = await callFunction(supabase, 'get_mashup', { job_id: jobId }, Parent.nullable(), FAILURE);
    // Without a parent the database says what is wrong.
    if (parent) refuseUnreadText(userFeedback, parent.songs);
    if (parent?.status === 'complete') refuseFulfilledText(userFeedback, parent.songs, parent.plan);
    const submission = await callFunction(supabase, 'iterate_mashup', parameters, Submission, FAILURE);
    return {
      success: true,
      jobId: submission.job_id,
      parent_id: jobId,
      existing: submission.existing,
      estimated_completion_at: submission.estimated_completion_at,
      // Until the new plan exists the screen shows the plan that is being revised.
      title: parent?.plan?.masterplan.title ?? null,
      concept: parent?.plan?.creative_vision ?? null,
      timeline: toMashupSections(parent?.plan?.masterplan.timeline ?? []),
    };
  },
);

Deno.serve(app.fetch);

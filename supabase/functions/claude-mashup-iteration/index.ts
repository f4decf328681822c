/** A new version of a mashup from the user's words: a job of its own, which renders again. */
import { IterationRequest, MashupDocument, Submission } from '../../../schema/api.ts';
import type { IterationAnswer } from '../../../schema/api.ts';
import { toMashupSections } from '../../../music/plan/timeline.ts';
import { concerns, faultsOf, idempotencyKeyOf, readJson } from '../_shared/body.ts';
import { requireUser } from '../_shared/caller.ts';
import { answer, ApiError, serve } from '../_shared/http.ts';
import { callFunction } from '../_shared/rpc.ts';

const FAILURE = 'Failed to get revised creative direction';
/** The older screen posts whole analyses along, megabytes of them. They are not read. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

serve({ failure: FAILURE }, async (request) => {
  const { supabase } = await requireUser(request);
  const iteration = parseRequest(await readJson(request, MAX_BODY_BYTES));
  const submission = await callFunction(
    supabase,
    'iterate_mashup',
    {
      parent_id: iteration.jobId,
      feedback: iteration.userFeedback,
      options: iteration.options ?? {},
      idempotency_key: idempotencyKeyOf(request, iteration.idempotency_key) ?? null,
    },
    Submission,
    FAILURE,
  );
  // Until the new plan is there the screen shows the one that is being revised.
  const parent = await callFunction(
    supabase,
    'get_mashup',
    { job_id: iteration.jobId },
    MashupDocument.nullable(),
    FAILURE,
  );
  const body: IterationAnswer = {
    success: true,
    jobId: submission.job_id,
    parent_id: iteration.jobId,
    existing: submission.existing,
    estimated_completion_at: submission.estimated_completion_at,
    title: parent?.plan?.masterplan.title ?? null,
    concept: parent?.plan?.creative_vision ?? null,
    timeline: toMashupSections(parent?.plan?.masterplan.timeline ?? []),
  };
  return answer(body);
});

/** Takes the job's id by any of its names. */
function parseRequest(body: unknown): IterationRequest {
  const members = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const jobId = members.jobId ?? members.mashupId ?? members.parent_id;
  if (jobId === undefined || jobId === null || jobId === '') {
    throw new ApiError(400, 'job_id_required', 'jobId is required', {
      hint: 'Send the id of the mashup to change as jobId, beside userFeedback.',
      details: 'A plan alone cannot be rendered again: songs, analyses and stems belong to the job.',
    });
  }
  const parsed = IterationRequest.safeParse({ ...members, jobId });
  if (parsed.success) return parsed.data;
  const isFeedback = concerns(parsed.error, 'userFeedback');
  throw new ApiError(400, 'invalid_request', isFeedback ? 'userFeedback is required' : 'Invalid request body', {
    hint: isFeedback ? 'Say in up to 1000 characters what should change.' : 'Check the id and the options.',
    details: faultsOf(parsed.error),
  });
}

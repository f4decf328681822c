/** Checks the body of claude-mashup-iteration. */
import { IterationRequest } from '../../../schema/api.ts';
import { ApiError } from '../_shared/api-error.ts';
import { concerns, describeIssues, membersOf } from '../_shared/validation.ts';

/**
 * Accepts the job's id under any of its names.
 * @throws ApiError 400
 */
export function parseRequest(body: unknown): IterationRequest {
  const members = membersOf(body);
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
    details: describeIssues(parsed.error),
  });
}

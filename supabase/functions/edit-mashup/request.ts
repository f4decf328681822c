/** Checks the body of edit-mashup. */
import { EditRequest } from '../../../schema/api.ts';
import { ApiError } from '../_shared/api-error.ts';
import { concerns, describeIssues } from '../_shared/validation.ts';

/** @throws ApiError 400 `invalid_request`, or `invalid_edits` if only the edits are wrong */
export function parseRequest(body: unknown): EditRequest {
  const parsed = EditRequest.safeParse(body);
  if (parsed.success) return parsed.data;
  const isEdits = concerns(parsed.error, 'edits') && !concerns(parsed.error, 'jobId');
  throw new ApiError(
    400,
    isEdits ? 'invalid_edits' : 'invalid_request',
    isEdits ? 'Invalid edits' : 'Invalid request body',
    {
      hint: 'Send jobId, plan_version and 1 to 40 edits [{kind, …}].',
      details: describeIssues(parsed.error),
    },
  );
}

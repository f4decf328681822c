/** Returns the state of one of the caller's jobs, for frontends that poll. Realtime on the row tells more, and sooner. */
import { MashupDocument, StatusRequest } from '../../../schema/api.ts';
import type { StatusAnswer } from '../../../schema/api.ts';
import { ApiError } from '../_shared/api-error.ts';
import { createFunctionApp } from '../_shared/app.ts';
import { requireUser } from '../_shared/caller.ts';
import { callFunction } from '../_shared/rpc.ts';
import { describeStatus } from './describe.ts';
import { requestErrorDetails } from './error-details.ts';

const FAILURE = 'Failed to check mashup status';

const app = createFunctionApp(
  {
    failure: FAILURE,
    authenticate: requireUser,
    extendError: (error) => ({
      message: error.details ?? error.message,
      error_details: requestErrorDetails(error.status, error.hint),
    }),
  },
  async ({ caller, body }): Promise<StatusAnswer> => {
    const { jobId } = parseRequest(body);
    const job = await callFunction(
      caller.supabase,
      'get_mashup',
      { job_id: jobId },
      MashupDocument.nullable(),
      FAILURE,
    );
    if (job === null) {
      throw new ApiError(404, 'job_not_found', 'Job not found', {
        hint: 'Open one of your own mashups.',
        details: `There is no mashup ${jobId}.`,
      });
    }
    return describeStatus(job);
  },
);

Deno.serve(app.fetch);

function parseRequest(body: unknown): StatusRequest {
  const parsed = StatusRequest.safeParse(body);
  if (parsed.success) return parsed.data;
  const isMissing = parsed.error.issues[0]?.code === 'invalid_type';
  throw new ApiError(400, 'invalid_request', isMissing ? 'Job ID is required' : 'Invalid job ID', {
    hint: 'Send {jobId} with the id that generate-mashup returned.',
    details: 'jobId is missing or not a UUID.',
  });
}

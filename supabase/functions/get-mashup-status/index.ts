/** State of one job of the caller, for frontends that poll. Watching the row over Realtime tells more, and sooner. */
import { MashupDocument, StatusRequest } from '../../../schema/api.ts';
import { readJson } from '../_shared/body.ts';
import { requireUser } from '../_shared/caller.ts';
import { answer, ApiError, serve } from '../_shared/http.ts';
import { callFunction } from '../_shared/rpc.ts';
import { describeStatus } from './describe.ts';
import { errorDetails } from './error-details.ts';

const FAILURE = 'Failed to check mashup status';

serve(
  {
    failure: FAILURE,
    extend: (error) => ({
      message: error.details ?? error.message,
      error_details: errorDetails(
        error.status === 404 ? 'job_not_found' : error.status < 500 ? 'validation_error' : 'system_error',
        error.hint,
      ),
    }),
  },
  async (request) => {
    const { supabase } = await requireUser(request);
    const parsed = StatusRequest.safeParse(await readJson(request));
    if (!parsed.success) throw badId(parsed.error.issues[0]?.code === 'invalid_type');
    const { jobId } = parsed.data;
    const job = await callFunction(supabase, 'get_mashup', { job_id: jobId }, MashupDocument.nullable(), FAILURE);
    if (job === null) {
      throw new ApiError(404, 'job_not_found', 'Job not found', {
        hint: 'Open one of your own mashups.',
        details: `There is no mashup ${jobId}.`,
      });
    }
    return answer(describeStatus(job));
  },
);

function badId(isMissing: boolean): ApiError {
  return new ApiError(400, 'invalid_request', isMissing ? 'Job ID is required' : 'Invalid job ID', {
    hint: 'Send {jobId} with the id that generate-mashup answered.',
    details: 'jobId is missing or is no id.',
  });
}

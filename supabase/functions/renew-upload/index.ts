/**
 * Signs the upload URL of a running task again, for the service that works for it. The claim of the task is the credential: it
 * allows uploads below the path of this claim, and only while the claim is held.
 */
import { createClient } from '@supabase/supabase-js';
import { z } from 'zod';
import { BUCKET, RenewUploadRequest } from '../../../schema/api.ts';
import type { RenewUploadAnswer } from '../../../schema/api.ts';
import { ApiError } from '../_shared/api-error.ts';
import { createFunctionApp } from '../_shared/app.ts';
import type { Caller } from '../_shared/caller.ts';
import { readEnvironment } from '../_shared/environment.ts';
import { callFunction } from '../_shared/rpc.ts';

const FAILURE = 'Failed to renew the upload URL';

/** The service role, whoever calls: the claim in the body is checked before anything is signed. */
function asService(): Promise<Caller> {
  const { url, serviceKeys } = readEnvironment();
  const [key] = serviceKeys;
  if (key === undefined) {
    throw new ApiError(500, 'env_missing', FAILURE, {
      hint: 'The operator must set a secret key for the functions.',
    });
  }
  const supabase = createClient(url, key, { auth: { persistSession: false, autoRefreshToken: false } });
  return Promise.resolve({ role: 'service_role', userId: null, supabase });
}

const app = createFunctionApp(
  { failure: FAILURE, authenticate: asService },
  async ({ caller: { supabase }, body }): Promise<RenewUploadAnswer> => {
    const request = RenewUploadRequest.safeParse(body);
    if (!request.success || !(await isAllowed(supabase, request.data))) {
      throw new ApiError(401, 'sign_in_required', 'No claim allows this upload', {
        hint: 'Send task_id, claim and path as the worker sent them, while the task runs.',
      });
    }
    const { path } = request.data;
    const { data, error } = await supabase.storage.from(BUCKET).createSignedUploadUrl(path, { upsert: true });
    if (error) {
      console.error(FAILURE, error.message);
      throw new ApiError(503, 'storage_unreachable', FAILURE, {
        hint: 'Try again in a few seconds.',
        retryAfterSec: 5,
        cause: error,
      });
    }
    return { path: data.path, token: data.token };
  },
);

function isAllowed(supabase: Caller['supabase'], request: RenewUploadRequest): Promise<boolean> {
  return callFunction(supabase, 'check_task_upload', { ...request }, z.boolean(), FAILURE);
}

Deno.serve(app.fetch);

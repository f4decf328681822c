/** Submits a mashup, or with `hold: "planning"` a draft. Returns at once; workers do the work. */
import { Submission } from '../../../schema/api.ts';
import type { GenerateMashupAnswer } from '../../../schema/api.ts';
import { createFunctionApp } from '../_shared/app.ts';
import { requireUser } from '../_shared/caller.ts';
import { callFunction } from '../_shared/rpc.ts';
import { idempotencyKeyOf } from '../_shared/validation.ts';
import { refuseUnreadText } from '../_shared/wishes.ts';
import { parseRequest } from './request.ts';
import { describeSubmission } from './response.ts';

const FAILURE = 'Failed to initialize mashup job';

const app = createFunctionApp(
  { failure: FAILURE, authenticate: requireUser },
  async ({ request, caller, body }): Promise<GenerateMashupAnswer> => {
    const { songs, options, hold, idempotency_key } = parseRequest(body);
    refuseUnreadText(options?.wishes, songs);
    const parameters = {
      songs,
      options: options ?? {},
      hold: hold ?? null,
      idempotency_key: idempotencyKeyOf(request, idempotency_key) ?? null,
    };
    const submission = await callFunction(caller.supabase, 'submit_mashup', parameters, Submission, FAILURE);
    return describeSubmission(submission, hold === 'planning');
  },
);

Deno.serve(app.fetch);

/**
 * Deletes the caller's account. Auth deletes the user; triggers then delete the rows of the engine in the same transaction, and
 * put the files into the outbox, from which a worker deletes them through the Storage API.
 */
import { DeleteAccountRequest } from '../../../schema/api.ts';
import type { DeleteAccountAnswer } from '../../../schema/api.ts';
import { ApiError } from '../_shared/api-error.ts';
import { createFunctionApp } from '../_shared/app.ts';
import { requireUser, serviceClient } from '../_shared/caller.ts';

const FAILURE = 'Failed to delete the account';

const app = createFunctionApp(
  { failure: FAILURE, authenticate: requireUser },
  async ({ caller, body }): Promise<DeleteAccountAnswer> => {
    requireConfirmation(body);
    const { error } = await serviceClient().auth.admin.deleteUser(caller.userId);
    // A repeated call whose first answer was lost.
    if (error && error.status !== 404) {
      const isUnreachable = error.status === undefined || error.status === 0 || error.status >= 502;
      throw new ApiError(isUnreachable ? 503 : 500, isUnreachable ? 'auth_unreachable' : 'internal_error', FAILURE, {
        hint: 'Nothing was deleted. Try again in a few seconds.',
        cause: error,
        ...(isUnreachable ? { retryAfterSec: 5 } : {}),
      });
    }
    return { success: true };
  },
);

Deno.serve(app.fetch);

function requireConfirmation(body: unknown): void {
  if (DeleteAccountRequest.safeParse(body).success) return;
  throw new ApiError(400, 'confirmation_missing', 'Confirmation required', {
    hint: 'Send {"confirm": "delete my account"}. All mashups and files of the account are deleted.',
    details: 'The request does not confirm the deletion.',
  });
}

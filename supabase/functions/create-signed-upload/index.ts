/** Returns a signed upload URL for a song, or a stem of one's own, in the caller's own folder and created with the caller's rights. */
import { z } from 'zod';
import { BUCKET } from '../../../schema/api.ts';
import type { SignedUploadAnswer } from '../../../schema/api.ts';
import { ApiError } from '../_shared/api-error.ts';
import { createFunctionApp } from '../_shared/app.ts';
import { requireUser } from '../_shared/caller.ts';
import { callFunction } from '../_shared/rpc.ts';
import { parseRequest, safeName } from './request.ts';

const FAILURE = 'Failed to create signed upload';

const app = createFunctionApp(
  { failure: FAILURE, authenticate: requireUser },
  async ({ caller: { supabase, userId }, body }): Promise<SignedUploadAnswer> => {
    const { songId, fileName, stem } = parseRequest(body);
    await callFunction(supabase, 'begin_upload', {}, z.unknown(), FAILURE);
    const folder = stem ? `${songId}/${stem}` : songId;
    const path = `uploads/${userId}/${folder}/${safeName(fileName)}`;
    const { data, error } = await supabase.storage.from(BUCKET).createSignedUploadUrl(path, { upsert: true });
    if (error) {
      console.error(FAILURE, error.message);
      throw new ApiError(503, 'storage_unreachable', FAILURE, {
        hint: 'Try again in a few seconds.',
        details: 'Storage returned no upload URL.',
        retryAfterSec: 5,
        cause: error,
      });
    }
    return { path: data.path, signedUrl: data.signedUrl, token: data.token };
  },
);

Deno.serve(app.fetch);

/** Leads to the file of a shared mashup: to a link of a minute, which Storage serves, with ranges. */
import { BUCKET, SharedAudio } from '../../../schema/api.ts';
import { ApiError } from '../_shared/api-error.ts';
import { serviceClient } from '../_shared/caller.ts';
import { createPublicApp } from '../_shared/public-app.ts';

const FAILURE = 'Failed to open the file of the mashup';
/** Seconds for which the link to the file is valid. */
const LINK_SEC = 60;

const app = createPublicApp({ failure: FAILURE, part: 'audio', shape: SharedAudio }, async ({ path }) => {
  const { data, error } = await serviceClient().storage.from(BUCKET).createSignedUrl(path, LINK_SEC);
  if (error) {
    console.error(FAILURE, error.message);
    throw new ApiError(503, 'storage_unreachable', FAILURE, { hint: 'Try again in a few seconds.', retryAfterSec: 5 });
  }
  return new Response(null, {
    status: 302,
    headers: { location: locationOf(data.signedUrl), 'cache-control': 'no-store' },
  });
});

Deno.serve(app.fetch);

/**
 * The link relative to `<project>/functions/v1/shared-audio`: in a container network the functions know the project by a host that no
 * client can reach.
 */
function locationOf(signedUrl: string): string {
  const { pathname, search } = new URL(signedUrl);
  return `../..${pathname.slice(pathname.indexOf('/storage/v1/'))}${search}`;
}

/** Returns what the public reads of a mashup that its owner has shared by a link. */
import { SharedMashup } from '../../../schema/api.ts';
import { createPublicApp, SHORT_LIVED } from '../_shared/public-app.ts';

const app = createPublicApp({ failure: 'Failed to read the mashup', part: 'mashup', shape: SharedMashup }, (mashup) =>
  Response.json(mashup, { headers: SHORT_LIVED }),
);

Deno.serve(app.fetch);

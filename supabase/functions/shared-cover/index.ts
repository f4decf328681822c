/** Returns the cover of a shared mashup as PNG, 1200 by 630 pixels, for previews of its link. */
import { SharedCover } from '../../../schema/api.ts';
import { createPublicApp, SHORT_LIVED } from '../_shared/public-app.ts';
import { drawCover } from './draw-cover.ts';

/** Raised when the drawing changes. */
const DRAWING = 1;

const app = createPublicApp(
  { failure: 'Failed to draw the cover', part: 'cover', shape: SharedCover },
  async (cover, request) => {
    const headers = { ...SHORT_LIVED, etag: await entityTagOf(cover) };
    if (request.headers.get('if-none-match')?.includes(headers.etag))
      return new Response(null, { status: 304, headers });
    if (request.method === 'HEAD') return new Response(null, { headers: { ...headers, 'content-type': 'image/png' } });
    return new Response(drawCover(cover) as BodyInit, { headers: { ...headers, 'content-type': 'image/png' } });
  },
);

Deno.serve(app.fetch);

/** A cover follows from its data alone: whoever has one with the same tag needs no new one. */
async function entityTagOf(cover: SharedCover): Promise<string> {
  const data = new TextEncoder().encode(`${DRAWING} ${JSON.stringify(cover)}`);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
  return `"${Array.from(digest.subarray(0, 12), (byte) => byte.toString(16).padStart(2, '0')).join('')}"`;
}

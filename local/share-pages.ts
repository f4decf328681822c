/** The pages of shared mashups, as the gateway of the local stack serves them. */
import { createSharePages } from '@mashup-engine/client/share-pages';
import type { SharePages } from '@mashup-engine/client/share-pages';

/**
 * Makes the pages for a gateway. Browsers may reach it by another host name: their requests for sound and cover go to the origin of
 * the page.
 */
export default function makePages({ url, anonKey }: { url: string; anonKey: string }): SharePages {
  return (request) => {
    const { origin } = new URL(request.url);
    return createSharePages({ supabaseUrl: origin, internalUrl: url, apiKey: anonKey })(request);
  };
}

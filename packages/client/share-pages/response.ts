/** The response for a link: the page of its mashup, or a page that says why there is none. */
import { pageHeaders } from './headers.ts';
import { embedPage, messagePage, sharePage } from './page.ts';
import type { Site } from './page.ts';
import type { Share } from './read-share.ts';
import { waitText } from './texts.ts';

interface PageRequest {
  site: Site;
  isEmbed: boolean;
  isHead: boolean;
}

const STATUS = { shared: 200, missing: 404, busy: 429, unavailable: 503 } as const;

/** Returns the response for what a link leads to. */
export function responseOf(share: Share, { site, isEmbed, isHead }: PageRequest): Response {
  const headers = new Headers(pageHeaders([new URL(site.addresses.audio).origin], isEmbed));
  if ('retryAfterSec' in share) headers.set('retry-after', String(share.retryAfterSec));
  return new Response(isHead ? null : pageOf(share, site, isEmbed), { status: STATUS[share.state], headers });
}

function pageOf(share: Share, site: Site, isEmbed: boolean): string {
  const retry = { name: 'Try again', href: isEmbed ? site.addresses.embed : site.addresses.page };
  switch (share.state) {
    case 'shared':
      return (isEmbed ? embedPage : sharePage)(share.mashup, site);
    case 'missing':
      return messagePage(site, {
        title: 'There is no mashup here',
        text: 'The link may be incomplete, or the mashup is not shared any more. Ask the person who sent it to you for a new link.',
      });
    case 'busy':
      return messagePage(site, {
        title: 'Too many visitors at once',
        text: `Try again in ${waitText(share.retryAfterSec)}.`,
        action: retry,
      });
    case 'unavailable':
      return messagePage(site, {
        title: 'The mashup cannot be loaded',
        text: 'The server does not answer at the moment. The link is still good: try again in a few seconds.',
        action: retry,
      });
  }
}

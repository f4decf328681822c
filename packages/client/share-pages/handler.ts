/** The handler of the pages of shared mashups: web-standard requests and responses. */
import { addressesOf } from './addresses.ts';
import { responseOf } from './response.ts';
import { readShare } from './read-share.ts';
import type { Share } from './read-share.ts';

/** Where the pages come from. */
export interface SharePagesOptions {
  /** URL of the Supabase project, as browsers reach it. */
  supabaseUrl: string;
  /** URL by which the handler reaches the project, if it is another one. */
  internalUrl?: string;
  /** A publishable or anon key, for projects whose gateway wants one. */
  apiKey?: string;
  /**
   * URL of the studio, whose built files the pages load; it may have a path. Default: the origin of each request. Behind a proxy
   * that changes the origin it has to be given.
   */
  siteUrl?: string;
  /** Name of the studio. */
  siteName?: string;
  /** How long the project has for its answer, in milliseconds. */
  timeoutMs?: number;
}

/** Returns the page for a request, 405 for a method that pages do not have, or null for another path. It does not reject. */
export type SharePages = (request: Request) => Promise<Response | null>;

const DEFAULT_NAME = 'Mashup studio';
const DEFAULT_TIMEOUT_MS = 8000;
/** What a token looks like. Others are not asked for. */
const TOKEN = /^[\w-]{16,128}$/;

/**
 * Creates the handler of `/s/<token>`, the page of a shared mashup, and `/embed/<token>`, a player for frames of other sites.
 * @throws TypeError if an option is no URL
 */
export function createSharePages(options: SharePagesOptions): SharePages {
  const supabaseUrl = withoutSlash(new URL(options.supabaseUrl).href);
  const siteUrl = options.siteUrl === undefined ? undefined : new URL(options.siteUrl);
  const folder = withoutSlash(siteUrl?.pathname ?? '');
  const source = {
    url: withoutSlash(options.internalUrl ?? supabaseUrl),
    apiKey: options.apiKey,
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  };
  const name = options.siteName ?? DEFAULT_NAME;

  return async (request) => {
    const { origin, pathname } = new URL(request.url);
    const path = pathname.startsWith(`${folder}/`) ? pathname.slice(folder.length) : pathname;
    const [, kind, token = ''] = /^\/(s|embed)\/([^/]*)\/?$/.exec(path) ?? [];
    if (kind === undefined) return null;
    if (request.method !== 'GET' && request.method !== 'HEAD') return notAllowed();
    const share: Share = TOKEN.test(token) ? await readShare(source, token) : { state: 'missing' };
    const addresses = addressesOf({ origin: siteUrl?.origin ?? origin, folder }, supabaseUrl, token);
    return responseOf(share, {
      site: { name, addresses },
      isEmbed: kind === 'embed',
      isHead: request.method === 'HEAD',
    });
  };
}

/** The response to a request that is to write: pages are only read. */
function notAllowed(): Response {
  const headers = { allow: 'GET, HEAD', 'content-type': 'text/plain; charset=utf-8' };
  return new Response('This page can only be read: use GET or HEAD.\n', { status: 405, headers });
}

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');

/** Pages of a site that are made for each request, by a module of the site. */
import { pathToFileURL } from 'node:url';
import { header } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { send } from './http.ts';

/** Returns the page for a request, or null if the site has none at its path. */
export type SitePages = (request: Request) => Promise<Response | null>;

/** What a module of pages is told of the gateway. */
export interface SitePagesSettings {
  /** URL of the gateway. */
  url: string;
  anonKey: string;
}

/**
 * Imports a module whose default export makes the pages.
 * @param file path of the module
 * @throws the error of the import, TypeError if the module has no such export
 */
export async function importSitePages(file: string): Promise<(settings: SitePagesSettings) => SitePages> {
  const module = (await import(pathToFileURL(file).href)) as { default?: unknown };
  if (typeof module.default !== 'function') throw new TypeError('the module of pages has no default export');
  return module.default as (settings: SitePagesSettings) => SitePages;
}

/** Methods of which web-standard requests cannot be made. */
const FORBIDDEN_METHODS = ['CONNECT', 'TRACE', 'TRACK'];

/** Serves what the pages respond to a request, without its body. Returns false if there is no page at the path. */
export async function servePage(pages: SitePages, exchange: Exchange, url: string): Promise<boolean> {
  const { request, method } = exchange;
  const host = header(request.headers, 'host') ?? new URL(url).host;
  const address = `http://${host}${request.url ?? '/'}`;
  if (!URL.canParse(address) || FORBIDDEN_METHODS.includes(method)) return false;
  const page = await pages(new Request(address, { method, signal: exchange.signal }));
  if (page === null) return false;
  send(exchange, page.status, Object.fromEntries(page.headers), Buffer.from(await page.arrayBuffer()));
  return true;
}

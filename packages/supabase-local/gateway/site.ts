/** Serves a static site: the files of one directory, its index page for every other path, and its API configuration. */
import { readFile, realpath } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { decodePath, send, sendJson } from './http.ts';
import { siteHeaders } from './site-headers.ts';
import type { Exchange } from './exchange.ts';

const TYPES = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.json', 'application/json; charset=utf-8'],
  ['.map', 'application/json; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.ico', 'image/x-icon'],
  ['.woff2', 'font/woff2'],
  ['.wasm', 'application/wasm'],
  ['.mp3', 'audio/mpeg'],
  ['.ogg', 'audio/ogg'],
]);

async function fileIn(directory: string, name: string): Promise<{ bytes: Buffer; type: string } | undefined> {
  try {
    const root = await realpath(directory);
    const path = await realpath(join(root, name));
    if (!path.startsWith(root + sep)) return undefined;
    return { bytes: await readFile(path), type: TYPES.get(extname(path)) ?? 'application/octet-stream' };
  } catch {
    return undefined;
  }
}

/** The site reads its API URL and the anon key from here. Nothing in it is secret. */
const CONFIG_PATH = '/studio-config.json';

/** A static site. */
export interface Site {
  directory: string;
  anonKey: string;
}

/** Serves a GET or HEAD request. Returns false if the site has nothing at the path. */
export async function serveSite({ directory, anonKey }: Site, exchange: Exchange): Promise<boolean> {
  const name = decodePath(exchange.path);
  if (name.includes('\0')) return false;
  if (name === CONFIG_PATH) {
    // A relative URL: the API has the origin of the page, whatever host name the browser uses.
    sendJson(exchange, 200, { url: '/', anonKey }, { 'cache-control': 'no-cache' });
    return true;
  }
  const requested = name === '/' ? undefined : await fileIn(directory, name);
  const file = requested ?? (extname(name) === '' ? await fileIn(directory, 'index.html') : undefined);
  if (!file) return false;
  const cached = requested !== undefined && name.startsWith('/assets/');
  const headers = {
    ...siteHeaders(exchange.request.headers.host),
    'content-type': file.type,
    'cache-control': cached ? 'public, max-age=31536000, immutable' : 'no-cache',
  };
  send(exchange, 200, headers, file.bytes);
  return true;
}

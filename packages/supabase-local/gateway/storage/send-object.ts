/** Sends the bytes of an object: all, a range, or 304. */
import type { OutgoingHttpHeaders } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { exposeHeaders } from '../cors.ts';
import { header } from '../exchange.ts';
import { send } from '../http.ts';
import type { Exchange } from '../exchange.ts';
import { objectNotFound, storageError } from './errors.ts';
import type { Files } from './files.ts';
import type { ObjectRow } from './objects.ts';

interface Range {
  start: number;
  end: number;
}

/**
 * Parses a single byte range, both ends included (RFC 9110, 14.1.2). Returns undefined for the whole object: no range, several
 * ranges, or another unit.
 * @throws HttpError 416 for a range that begins after the end
 */
function parseRange(text: string | undefined, size: number): Range | undefined {
  const parsed = /^bytes=(\d*)-(\d*)$/.exec(text?.trim() ?? '');
  if (!parsed || (parsed[1] === '' && parsed[2] === '')) return undefined;
  const [, first = '', last = ''] = parsed;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  if (start >= size || (first === '' && Number(last) === 0))
    throw storageError(416, 'InvalidRange', 'invalid_range', 'invalid range provided', {
      http: 416,
      headers: { 'content-range': `bytes */${size}` },
    });
  return { start, end };
}

/** Returns the `Content-Disposition` for `download=` (empty: attachment without a name), or undefined. */
function contentDisposition(download: string | null): string | undefined {
  if (download === null) return undefined;
  if (download === '') return 'attachment;';
  const encoded = encodeURIComponent(download);
  return `attachment; filename=${encoded}; filename*=UTF-8''${encoded};`;
}

function isNotModified(exchange: Exchange, eTag: string, modified: Date): boolean {
  const { headers } = exchange.request;
  const eTags = header(headers, 'if-none-match');
  if (eTags !== undefined)
    return eTags.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === eTag);
  const since = Date.parse(header(headers, 'if-modified-since') ?? '');
  return Number.isFinite(since) && Math.floor(modified.getTime() / 1000) <= Math.floor(since / 1000);
}

/**
 * Sends the object's bytes.
 * @param options.expires expiry of a signed link
 * @throws HttpError `NoSuchKey` if the bytes do not exist
 */
export async function sendObject(
  files: Files,
  exchange: Exchange,
  object: ObjectRow,
  options: { expires?: Date } = {},
): Promise<void> {
  const { metadata, version } = object;
  if (!metadata || version === null) throw objectNotFound();
  const file = await files.open(version);
  if (!file) throw objectNotFound();
  try {
    const { size } = await file.stat();
    const modified = new Date(metadata.lastModified);
    const attachment = contentDisposition(exchange.query.get('download'));
    const headers: OutgoingHttpHeaders = {
      'accept-ranges': 'bytes',
      etag: metadata.eTag,
      'last-modified': modified.toUTCString(),
      'x-robots-tag': 'none',
      'cache-control': metadata.cacheControl,
      ...(options.expires ? { expires: options.expires.toUTCString() } : {}),
      ...(attachment ? { 'content-disposition': attachment } : {}),
    };
    if (isNotModified(exchange, metadata.eTag, modified)) return send(exchange, 304, headers);
    const condition = header(exchange.request.headers, 'if-range');
    const ranged = condition === undefined || condition === metadata.eTag;
    const range = parseRange(ranged ? header(exchange.request.headers, 'range') : undefined, size);
    const { start, end } = range ?? { start: 0, end: size - 1 };
    exposeHeaders(exchange);
    exchange.response.writeHead(range ? 206 : 200, {
      ...headers,
      'content-type': metadata.mimetype,
      'content-length': end - start + 1,
      ...(range ? { 'content-range': `bytes ${start}-${end}/${size}` } : {}),
    });
    if (exchange.method === 'HEAD' || size === 0) return void exchange.response.end();
    const bytes = file.createReadStream({ start, end, autoClose: false });
    await pipeline(bytes, exchange.response, { signal: exchange.signal });
  } finally {
    await file.close();
  }
}

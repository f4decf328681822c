/** Reads the body of an upload: multipart, as browsers send a Blob, or raw. */
import busboy from 'busboy';
import type { Readable } from 'node:stream';
import { header } from '../exchange.ts';
import { sendJson } from '../http.ts';
import type { Exchange } from '../exchange.ts';
import { badRequest, entityTooLarge, invalidMimeType } from './errors.ts';
import type { StoredFile } from './files.ts';
import { objectKey } from './object-path.ts';
import type { ObjectPath } from './object-path.ts';
import { recordUpload } from './objects.ts';
import type { BucketRow, Owner, StorageContext } from './objects.ts';

/** How much of a rejected body is discarded, in bytes, so that the caller gets the response and not a connection reset. */
const DRAIN_LIMIT = 256 * 1024 ** 2;

const DEFAULT_TYPE = 'application/octet-stream';
const FIELD_LIMIT = 64 * 1024;

interface Body {
  stored: StoredFile;
  mimetype: string;
  cacheControl: string;
  userMetadata: Record<string, unknown> | null;
}

/** The limit of a bucket, which the global limit caps. */
function limitOf({ fileSizeLimit }: StorageContext, bucket: BucketRow): number {
  return bucket.file_size_limit === null ? fileSizeLimit : Math.min(Number(bucket.file_size_limit), fileSizeLimit);
}

/** Rejects a type that the bucket does not accept. Patterns like `audio/*` match; parameters of the type are ignored. */
function requireAllowedType(bucket: BucketRow, type: string): string {
  const essence = (type.split(';')[0] ?? '').trim().toLowerCase();
  const allowed = bucket.allowed_mime_types;
  if (!allowed || allowed.length === 0) return type;
  const isAllowed = allowed.some((pattern) =>
    pattern.endsWith('/*') ? essence.startsWith(pattern.slice(0, -1)) : pattern.toLowerCase() === essence,
  );
  if (!isAllowed) throw invalidMimeType(type);
  return type;
}

function parseMetadata(text: string | undefined): Record<string, unknown> | null {
  if (text === undefined || text === '') return null;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch {
    throw badRequest('metadata must be a JSON object');
  }
  throw badRequest('metadata must be a JSON object');
}

async function readRawBody(context: StorageContext, exchange: Exchange, bucket: BucketRow): Promise<Body> {
  const { headers } = exchange.request;
  const limit = limitOf(context, bucket);
  if (Number(headers['content-length'] ?? 0) > limit) throw entityTooLarge();
  const mimetype = requireAllowedType(bucket, headers['content-type'] ?? DEFAULT_TYPE);
  const metadata = header(headers, 'x-metadata');
  const userMetadata = parseMetadata(metadata && Buffer.from(metadata, 'base64').toString('utf8'));
  const cacheControl = headers['cache-control'] ?? 'no-cache';
  const stored = await context.files.write(exchange.request, limit, exchange.signal);
  return { stored, mimetype, cacheControl, userMetadata };
}

/** Reads a multipart body. The file is the only part with a file name. Its field name is empty, and it comes last. */
function readMultipartBody(context: StorageContext, exchange: Exchange, bucket: BucketRow): Promise<Body> {
  const { request, signal } = exchange;
  return new Promise<Body>((resolve, reject) => {
    const fields = new Map<string, string>();
    let body: Promise<Body> | undefined;
    const parser = busboy({ headers: request.headers, limits: { fieldSize: FIELD_LIMIT, fields: 8, files: 1 } });

    async function readPart(part: Readable, type: string): Promise<Body> {
      const seconds = fields.get('cacheControl');
      const mimetype = requireAllowedType(bucket, type);
      const userMetadata = parseMetadata(fields.get('metadata'));
      const stored = await context.files.write(part, limitOf(context, bucket), signal);
      return { stored, mimetype, userMetadata, cacheControl: seconds ? `max-age=${seconds}` : 'no-cache' };
    }

    parser.on('field', (name, value) => fields.set(name, value));
    parser.on('file', (_name, part, { mimeType }) => {
      // A part fails together with its form or its caller, also when nobody reads it any more. Its reader gets the error too.
      part.on('error', () => {});
      body = readPart(part, mimeType);
      body.catch((error: unknown) => {
        part.resume();
        reject(error);
      });
    });
    parser.on('error', () => {
      request.unpipe(parser);
      reject(badRequest('The multipart body cannot be read'));
    });
    parser.on('close', () => {
      if (body) body.then(resolve, reject);
      else reject(badRequest('The multipart body has no file'));
    });
    signal.addEventListener('abort', () => parser.destroy(new Error('aborted')), { once: true });
    request.pipe(parser);
  });
}

/** Discards the rest of a body until it ends, the caller disconnects or the limit is reached. */
async function drain({ request, signal }: Exchange): Promise<void> {
  if (request.readableEnded || request.destroyed || signal.aborted) return;
  await new Promise<void>((resolve) => {
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > DRAIN_LIMIT) resolve();
    });
    for (const event of ['end', 'close', 'error']) request.once(event, resolve);
    request.resume();
  });
}

/** A permitted upload. With `upsert` it may replace an object. */
interface PermittedUpload {
  target: ObjectPath;
  bucket: BucketRow;
  owner: Owner;
  upsert: boolean;
}

/** Streams the body of a permitted upload to disk and records it. Returns the object's id. */
async function storeUpload(context: StorageContext, exchange: Exchange, permitted: PermittedUpload): Promise<string> {
  const multipart = /^multipart\/form-data/i.test(exchange.request.headers['content-type'] ?? '');
  const body = await (multipart ? readMultipartBody : readRawBody)(context, exchange, permitted.bucket);
  return recordUpload(context, { ...permitted, ...body });
}

/** Discards the body of a rejected upload, then throws the error. */
export async function drainAndThrow(exchange: Exchange, error: unknown): Promise<never> {
  await drain(exchange);
  throw error;
}

/** Handles an upload by path. */
export async function handleUpload(
  context: StorageContext,
  exchange: Exchange,
  permitted: PermittedUpload,
): Promise<void> {
  const id = await storeUpload(context, exchange, permitted);
  sendJson(exchange, 200, { Id: id, Key: objectKey(permitted.target) });
}

/** Handles an upload by a signed link. */
export async function handleSignedUpload(
  context: StorageContext,
  exchange: Exchange,
  permitted: PermittedUpload,
): Promise<void> {
  await storeUpload(context, exchange, permitted);
  sendJson(exchange, 200, { Key: objectKey(permitted.target) });
}

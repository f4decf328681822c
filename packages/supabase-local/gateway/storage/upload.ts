/** Taking in a body: multipart, as browsers send a Blob, or raw. */
import busboy from 'busboy';
import type { Readable } from 'node:stream';
import { header } from '../exchange.ts';
import { sendJson } from '../http.ts';
import type { Exchange } from '../exchange.ts';
import { badRequest, entityTooLarge, invalidMimeType } from './errors.ts';
import type { Stored } from './files.ts';
import { objectKey } from './object-path.ts';
import type { ObjectPath } from './object-path.ts';
import { recordUpload } from './objects.ts';
import type { BucketRow, Owner, StorageContext } from './objects.ts';

/** Largest object, in bytes, where the bucket sets no limit of its own. */
const DEFAULT_FILE_LIMIT = 1024 ** 3;

/** A refused body is read on to this size, in bytes, so that the caller gets the answer and not a reset. */
const DRAIN_LIMIT = 256 * 1024 ** 2;

const DEFAULT_TYPE = 'application/octet-stream';
const FIELD_LIMIT = 64 * 1024;

interface Body {
  stored: Stored;
  mimetype: string;
  cacheControl: string;
  userMetadata: Record<string, unknown> | null;
}

function limitOf(bucket: BucketRow): number {
  return bucket.file_size_limit === null ? DEFAULT_FILE_LIMIT : Number(bucket.file_size_limit);
}

/** Refuses a type that the bucket does not take. Patterns like `audio/*` count; parameters of the type do not. */
function requireAllowedType(bucket: BucketRow, type: string): string {
  const essence = (type.split(';')[0] ?? '').trim().toLowerCase();
  const allowed = bucket.allowed_mime_types;
  if (!allowed || allowed.length === 0) return type;
  const fits = allowed.some((pattern) =>
    pattern.endsWith('/*') ? essence.startsWith(pattern.slice(0, -1)) : pattern.toLowerCase() === essence,
  );
  if (!fits) throw invalidMimeType(type);
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

async function readRawBody({ files }: StorageContext, exchange: Exchange, bucket: BucketRow): Promise<Body> {
  const { headers } = exchange.request;
  const limit = limitOf(bucket);
  if (Number(headers['content-length'] ?? 0) > limit) throw entityTooLarge();
  const mimetype = requireAllowedType(bucket, headers['content-type'] ?? DEFAULT_TYPE);
  const metadata = header(headers, 'x-metadata');
  const userMetadata = parseMetadata(metadata && Buffer.from(metadata, 'base64').toString('utf8'));
  const cacheControl = headers['cache-control'] ?? 'no-cache';
  return { stored: await files.write(exchange.request, limit, exchange.signal), mimetype, cacheControl, userMetadata };
}

/** The file is the one part with a file name; its field name is empty, and the fields come before it. */
function readMultipartBody({ files }: StorageContext, exchange: Exchange, bucket: BucketRow): Promise<Body> {
  const { request, signal } = exchange;
  return new Promise<Body>((resolve, reject) => {
    const fields = new Map<string, string>();
    let taken: Promise<Body> | undefined;
    const parser = busboy({ headers: request.headers, limits: { fieldSize: FIELD_LIMIT, fields: 8, files: 1 } });

    async function take(part: Readable, type: string): Promise<Body> {
      const seconds = fields.get('cacheControl');
      const mimetype = requireAllowedType(bucket, type);
      const userMetadata = parseMetadata(fields.get('metadata'));
      const stored = await files.write(part, limitOf(bucket), signal);
      return { stored, mimetype, userMetadata, cacheControl: seconds ? `max-age=${seconds}` : 'no-cache' };
    }

    parser.on('field', (name, value) => fields.set(name, value));
    parser.on('file', (_name, part, { mimeType }) => {
      // A part that nobody reads any more still ends with its form, or with its caller: whoever reads it is told as well.
      part.on('error', () => {});
      taken = take(part, mimeType);
      taken.catch((error: unknown) => {
        part.resume();
        reject(error);
      });
    });
    parser.on('error', () => {
      request.unpipe(parser);
      reject(badRequest('The multipart body cannot be read'));
    });
    parser.on('close', () => {
      if (taken) taken.then(resolve, reject);
      else reject(badRequest('The multipart body has no file'));
    });
    signal.addEventListener('abort', () => parser.destroy(new Error('aborted')), { once: true });
    request.pipe(parser);
  });
}

/** Reads on, without keeping anything, until the body ends, the caller goes or it gets too much. */
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

/** A permitted upload: where to, whose, and whether it may replace. */
interface PermittedUpload {
  place: ObjectPath;
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

/** Lets a refused upload end before the refusal is written. */
export async function drainAndThrow(exchange: Exchange, error: unknown): Promise<never> {
  await drain(exchange);
  throw error;
}

/** Answers a plain upload. */
export async function handleUpload(
  context: StorageContext,
  exchange: Exchange,
  permitted: PermittedUpload,
): Promise<void> {
  const id = await storeUpload(context, exchange, permitted);
  sendJson(exchange, 200, { Id: id, Key: objectKey(permitted.place) });
}

/** Answers an upload by a signed link. */
export async function handleSignedUpload(
  context: StorageContext,
  exchange: Exchange,
  permitted: PermittedUpload,
): Promise<void> {
  await storeUpload(context, exchange, permitted);
  sendJson(exchange, 200, { Key: objectKey(permitted.place) });
}

/** Uploads to signed URLs of Storage, and what Storage says when it refuses one. */
import type { Blob } from 'node:buffer';
import type { Response } from 'undici';
import { redactUrl } from './fetch-audio.ts';
import { fetchOutgoing, OriginRefusedError } from './outgoing.ts';

/** Error bodies are truncated to this length. */
const MAX_ERROR_CHARS = 2_000;
const TOO_LARGE = 413;
const MEGABYTE = 1_000_000;

/**
 * Faults of an upload: invalid URL, origin that the service may not contact, file over the limit of Storage, expired URL, refused
 * for another reason, no answer, failed or overloaded.
 */
type UploadFault = 'url' | 'not_allowed' | 'too_large' | 'expired' | 'refused' | 'no_answer' | 'unavailable';

const HINTS: Record<UploadFault, string> = {
  not_allowed: 'Name the origin in SERVICES_ALLOWED_ORIGINS of the service.',
  url: 'Send a signed http or https URL that accepts a PUT.',
  too_large:
    'Raise the limit of the project (Storage settings, global file size limit) and of bucket mashups; `mashup doctor` shows both. Or lower storage_max_bytes to the limit: `mashup settings set storage_max_bytes BYTES`.',
  expired: 'Repeat the request with a fresh signed URL.',
  refused: 'Upload URLs must be fresh and allow PUT.',
  no_answer: 'Check that Storage is running and can be reached from the service, then try again.',
  unavailable: 'Check that Storage is running and can be reached from the service, then try again.',
};

/** A failed upload. `status` is the status that Storage means, or null if there was no answer. Contains no query string. */
export class UploadError extends Error {
  readonly fault: UploadFault;
  readonly status: number | null;
  readonly hint: string;

  constructor(fault: UploadFault, message: string, options: { status?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'UploadError';
    this.fault = fault;
    this.status = options.status ?? null;
    this.hint = options.cause instanceof OriginRefusedError ? options.cause.hint : HINTS[fault];
  }
}

/** An upload: what it is called in messages (`drums stem`), where it goes, and its time limit. */
export type ObjectUpload = {
  title: string;
  url: string;
  body: Blob | Uint8Array<ArrayBuffer>;
  contentType: string;
  signal: AbortSignal;
  timeoutMs: number;
};

/**
 * Uploads a body with a PUT to a signed URL.
 * @throws UploadError; the reason of the signal if it is aborted
 */
export async function putObject({ title, url, body, contentType, signal, timeoutMs }: ObjectUpload): Promise<void> {
  const target = URL.canParse(url) ? new URL(url) : null;
  if (!target || (target.protocol !== 'http:' && target.protocol !== 'https:'))
    throw new UploadError('url', `The upload URL of the ${title} is not an http or https URL.`);
  const timeout = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let answer: string;
  try {
    response = await fetchOutgoing(target, {
      method: 'PUT',
      headers: { 'content-type': contentType },
      body,
      signal: AbortSignal.any([signal, timeout]),
    });
    answer = (await response.text()).slice(0, MAX_ERROR_CHARS);
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (cause instanceof OriginRefusedError) throw new UploadError('not_allowed', cause.message, { cause });
    const reason = timeout.aborted ? `took longer than ${timeoutMs / 1000} s` : 'failed: no connection';
    throw new UploadError('no_answer', `The upload of the ${title} to ${redactUrl(target)} ${reason}.`, { cause });
  }
  if (response.ok) return;
  const bytes = body instanceof Uint8Array ? body.length : body.size;
  const { status, said } = readAnswer(response.status, answer);
  throw new UploadError(
    faultOf(status, answer),
    `Storage refused the ${title} (${(bytes / MEGABYTE).toFixed(1)} MB): ${said}.`,
    { status },
  );
}

/**
 * Reads an error of Storage, which sends most errors as status 400 with the real status and the reason in the body:
 * `{statusCode, code, error, message}`.
 */
function readAnswer(httpStatus: number, answer: string): { status: number; said: string } {
  let body: Record<string, unknown> = {};
  try {
    body = Object(JSON.parse(answer)) as Record<string, unknown>;
  } catch {
    // Proxies before Storage answer with HTML.
  }
  const inBody = Number(body['statusCode']);
  const status = inBody >= 400 && inBody < 600 ? inBody : httpStatus;
  const text = (name: string): string => (typeof body[name] === 'string' ? body[name] : '');
  const code = text('code') || text('error');
  const words = [String(status), code].filter(Boolean).join(' ');
  const message = text('message');
  return { status, said: message === '' ? words : `${words}: ${message.replace(/\.$/, '')}` };
}

function faultOf(status: number, answer: string): UploadFault {
  if (status === TOO_LARGE) return 'too_large';
  if (/InvalidJWT|"exp" claim|jwt expired/i.test(answer)) return 'expired';
  return status >= 500 || status === 429 || status === 408 ? 'unavailable' : 'refused';
}

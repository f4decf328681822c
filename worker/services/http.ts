/**
 * The one way to an audio service: a request with a time limit, an AbortSignal, and errors by class.
 *
 * It stands on `node:http` because `fetch` gives up by itself when an answer's headers take longer than five minutes,
 * and separation takes longer than that. Each call has its own connection: a service that restarts would otherwise reset a
 * kept one, which looks like an outage. No key of this project ever goes to a service.
 */
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { serviceWords, TaskError } from '../errors.ts';
import type { ServiceName } from '../../schema.ts';
import { errorText } from '../redact.ts';
import { faultOfAnswer } from './faults.ts';

/** Limit of a call that names none. */
export const DEFAULT_TIMEOUT_MS = 30_000;
/** Largest JSON answer: the existing analysis sends 21 KB for each second of a song of up to 15 minutes. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** Error bodies are read no further than this. */
const MAX_ERROR_BODY_BYTES = 64 * 1024;

/** Errors before anything was sent: the service cannot have begun to work. */
const NOT_REACHED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** Headers that let a call pass the development tunnel, as the existing callers send them. */
const HEADERS = { 'User-Agent': 'mashup-engine-worker/1.0', 'bypass-tunnel-reminder': 'true' };

export interface CallOptions {
  service: ServiceName;
  /** Base URL; may carry a path. */
  baseUrl: string;
  path: string;
  /** What answer is wanted; default JSON. */
  accept?: string;
  /** JSON body of a POST; without it the call is a GET. */
  body?: unknown;
  /** Aborts the call; its reason is thrown. */
  signal: AbortSignal;
  /** Limit of the whole call; default {@link DEFAULT_TIMEOUT_MS}. */
  timeoutMs?: number;
}

/** Base and path as one URL: by string, since a base may carry a path that `new URL` would drop. */
export function joinUrl(baseUrl: string, path: string): string {
  return baseUrl.replace(/\/+$/, '') + path;
}

/**
 * Calls a service and parses its JSON answer.
 * @throws TaskError by status and kind of fault; the reason of `signal` when it aborts
 */
export async function callJson(options: CallOptions): Promise<unknown> {
  return withAnswer(options, (answer) => readJson(options.service, answer));
}

/** Reads a whole JSON body. @throws TaskError (transient) where it is none */
export async function readJson(service: ServiceName, answer: IncomingMessage): Promise<unknown> {
  const text = await readText(answer, MAX_ANSWER_BYTES);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new TaskError(`${serviceWords(service)} did not answer with JSON.`, {
      code: 'service_answer_invalid',
      hint: 'Check the URL of the service: something else may be answering there.',
      faultClass: 'transient',
      cause,
    });
  }
}

/**
 * Calls a service and hands its body to `read` while it arrives. The limit, the signal and lost connections end it.
 * @throws as `callJson`
 */
export async function withAnswer<T>(options: CallOptions, read: (answer: IncomingMessage) => Promise<T>): Promise<T> {
  const { service, signal } = options;
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const timeout = AbortSignal.timeout(timeoutMs);
  const either = AbortSignal.any([signal, timeout]);
  try {
    signal.throwIfAborted();
    const answer = await send(options, either);
    try {
      if (answer.statusCode !== 200) {
        throw faultOfAnswer({
          service,
          status: answer.statusCode ?? 0,
          retryAfter: answer.headers['retry-after'],
          body: await readText(answer, MAX_ERROR_BODY_BYTES, true),
        });
      }
      return await read(answer);
    } finally {
      answer.destroy();
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof TaskError) throw error;
    if (timeout.aborted) throw timeoutFault(service, timeoutMs, error);
    throw connectionFault(service, error);
  }
}

function send(options: CallOptions, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const url = new URL(joinUrl(options.baseUrl, options.path));
    const body = options.body === undefined ? undefined : Buffer.from(JSON.stringify(options.body));
    const start = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const call = start(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...HEADERS,
        Accept: options.accept ?? 'application/json',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': body.length }),
      },
      signal,
      agent: false,
    });
    call.once('response', resolve);
    // Stays for the life of the call: an error after the response belongs to the reader of the body.
    call.on('error', reject);
    call.end(body);
  });
}

/** Reads a body as text; `cut` stops at the limit without an error. */
async function readText(answer: IncomingMessage, maxBytes: number, cut = false): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    chunks.push(chunk);
    if (size <= maxBytes) continue;
    if (cut) break;
    throw new TaskError(`A service answered with more than ${Math.round(maxBytes / 1_048_576)} MB.`, {
      code: 'service_answer_invalid',
      hint: 'Check the URL of the service: something else may be answering there.',
      faultClass: 'permanent',
    });
  }
  return Buffer.concat(chunks).toString('utf8');
}

function timeoutFault(service: ServiceName, timeoutMs: number, cause: unknown): TaskError {
  return new TaskError(`${serviceWords(service)} did not answer within ${Math.round(timeoutMs / 1000)} s.`, {
    code: 'service_timeout',
    hint: 'It is tried again by itself. If this lasts, the service needs more capacity or a restart.',
    faultClass: 'unavailable',
    cause,
  });
}

function connectionFault(service: ServiceName, cause: unknown): TaskError {
  const wasReached = !NOT_REACHED.has(codeOf(cause));
  return new TaskError(
    wasReached
      ? `The connection to ${serviceWords(service).toLowerCase()} was lost (${errorText(cause)}).`
      : `${serviceWords(service)} cannot be reached (${errorText(cause)}).`,
    {
      code: wasReached ? 'service_connection_lost' : 'service_unavailable',
      hint: 'It is tried again by itself. If this lasts, check that the service runs and that its URL is right.',
      faultClass: 'unavailable',
      cause,
    },
  );
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

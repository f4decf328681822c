/**
 * HTTP client of the audio services: requests with a time limit and an AbortSignal, and typed errors.
 *
 * It uses `node:http` because `fetch` fails when response headers take longer than five minutes, which separation does. Each
 * call opens its own connection: a restarting service resets kept connections, which looks like an outage. No key of this
 * project is sent to a service; a service may have a token of its own.
 */
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { SpanKind } from '@opentelemetry/api';
import { traceHeaders, withSpan } from '../../telemetry/trace.ts';
import { reportCall } from '../call-observer.ts';
import { serviceTitle, TaskError } from '../errors.ts';
import type { ServiceName } from '../../schema.ts';
import { errorText } from '../redact.ts';
import { faultOfResponse } from './faults.ts';

/** Default limit of a call. */
export const DEFAULT_TIMEOUT_MS = 30_000;
/** Largest JSON response: the existing analysis sends 21 KB for each second of a song of up to 15 minutes. */
export const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;
/** Error bodies are truncated to this size. */
const MAX_ERROR_BODY_BYTES = 64 * 1024;

/** Errors before the request was sent: the service cannot have started to work. */
const NOT_REACHED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** Headers of the existing callers; the second one passes the development tunnel. */
const HEADERS = { 'User-Agent': 'mashup-engine-worker/1.0', 'bypass-tunnel-reminder': 'true' };

export interface CallOptions {
  service: ServiceName;
  /** Base URL; may contain a path. */
  baseUrl: string;
  path: string;
  /** Token of the service, sent as a bearer. */
  token?: string;
  /** Accept header; default: JSON. */
  accept?: string;
  /** JSON body of a POST; without it, the call is a GET. */
  body?: unknown;
  /** Aborts the call; its reason is thrown. */
  signal: AbortSignal;
  /** Limit of the whole call; default {@link DEFAULT_TIMEOUT_MS}. */
  timeoutMs?: number;
}

/** Joins a base URL and a path as strings: `new URL` would drop a path of the base. */
export function joinUrl(baseUrl: string, path: string): string {
  return baseUrl.replace(/\/+$/, '') + path;
}

/**
 * Calls a service and parses its JSON response.
 * @throws TaskError by status and kind of fault; the reason of `signal` when it aborts
 */
export async function callJson(options: CallOptions): Promise<unknown> {
  return withResponse(options, (response) => readJson(options.service, response));
}

/** Reads a JSON body. @throws TaskError (transient) if it is not JSON */
export async function readJson(service: ServiceName, response: IncomingMessage): Promise<unknown> {
  const text = await readText(response, MAX_RESPONSE_BYTES);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new TaskError(`${serviceTitle(service)} did not respond with JSON.`, {
      code: 'service_answer_invalid',
      hint: 'Check the URL of the service: another program may be responding there.',
      faultClass: 'transient',
      cause,
    });
  }
}

/**
 * Calls a service and passes the response to `read` while the body arrives. The time limit, the signal or a lost connection
 * ends the call. The call is a span of the active trace.
 * @throws as `callJson`
 */
export async function withResponse<T>(
  options: CallOptions,
  read: (response: IncomingMessage) => Promise<T>,
): Promise<T> {
  const { body, path, service } = options;
  const startedAt = performance.now();
  const report = (result: string): void => {
    if (body !== undefined) reportCall(service, result, (performance.now() - startedAt) / 1000);
  };
  const attributes = { 'mashup.service': service, 'url.path': path };
  return withSpan(`call ${service}`, { kind: SpanKind.CLIENT, attributes }, async () => {
    try {
      const answer = await exchange(options, read);
      report('ok');
      return answer;
    } catch (error) {
      report(error instanceof TaskError ? resultOf(error) : 'aborted');
      throw error;
    }
  });
}

/** Result of a failed call for metrics: the class of the fault and its status, since codes are chosen by services. */
function resultOf({ faultClass, status }: TaskError): string {
  return status === undefined ? faultClass : `${faultClass} ${status}`;
}

async function exchange<T>(options: CallOptions, read: (response: IncomingMessage) => Promise<T>): Promise<T> {
  const { service, signal } = options;
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  // Limits follow from measured durations. A signal accepts whole milliseconds only.
  const timeout = AbortSignal.timeout(Math.ceil(timeoutMs));
  const either = AbortSignal.any([signal, timeout]);
  try {
    signal.throwIfAborted();
    const response = await send(options, either);
    try {
      if (response.statusCode !== 200) {
        throw faultOfResponse({
          service,
          status: response.statusCode ?? 0,
          retryAfter: response.headers['retry-after'],
          // A service may repeat what it was sent.
          body: hide(await readText(response, MAX_ERROR_BODY_BYTES, true), options.token),
        });
      }
      return await read(response);
    } finally {
      response.destroy();
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
        ...traceHeaders(),
        Accept: options.accept ?? 'application/json',
        ...(options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': body.length }),
      },
      signal,
      agent: false,
    });
    call.once('response', resolve);
    // Stays for the life of the call: errors after the response reach the reader of the body.
    call.on('error', reject);
    call.end(body);
  });
}

/** Reads a body as text. With `truncate` it stops at the limit without an error. */
async function readText(response: IncomingMessage, maxBytes: number, truncate = false): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    chunks.push(chunk);
    if (size <= maxBytes) continue;
    if (truncate) break;
    throw new TaskError(`A service sent more than ${Math.round(maxBytes / 1_048_576)} MB.`, {
      code: 'service_answer_invalid',
      hint: 'Check the URL of the service: another program may be responding there.',
      faultClass: 'permanent',
    });
  }
  return Buffer.concat(chunks).toString('utf8');
}

function hide(text: string, token: string | undefined): string {
  return token === undefined ? text : text.replaceAll(token, '…');
}

function timeoutFault(service: ServiceName, timeoutMs: number, cause: unknown): TaskError {
  return new TaskError(`${serviceTitle(service)} did not respond within ${Math.round(timeoutMs / 1000)} s.`, {
    code: 'service_timeout',
    hint: 'It is retried automatically. If this lasts, the service needs more capacity or a restart.',
    faultClass: 'unavailable',
    spendsAttempt: 'if_answering',
    cause,
  });
}

function connectionFault(service: ServiceName, cause: unknown): TaskError {
  const wasReached = !NOT_REACHED.has(codeOf(cause));
  return new TaskError(
    wasReached
      ? `The connection to ${serviceTitle(service).toLowerCase()} was lost (${errorText(cause)}).`
      : `${serviceTitle(service)} cannot be reached (${errorText(cause)}).`,
    {
      code: wasReached ? 'service_connection_lost' : 'service_unavailable',
      hint: 'It is retried automatically. If this lasts, check that the service runs and that its URL is right.',
      faultClass: 'unavailable',
      // The request was not sent: the task cannot be to blame. The circuit of the service opens, and the task waits.
      spendsAttempt: wasReached && 'if_answering',
      cause,
    },
  );
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

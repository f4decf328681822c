/** Client of the separation service, `POST /separate`: an event stream with progress, or JSON from services that know no streams. */
import type { IncomingMessage } from 'node:http';
import { HealthResponse, SeparateResponse, SERVICE_DEFAULTS, StemPaths } from '../../schema.ts';
import type { SeparateRequest, SeparationModels, StoredStems } from '../../schema.ts';
import { TaskError } from '../errors.ts';
import { redact } from '../redact.ts';
import { faultOfResponse } from './faults.ts';
import { callJson, readJson, withResponse } from './http.ts';
import { withIdleLimit } from './idle-timer.ts';
import { asNumber, asShare, parseResponse } from './read.ts';
import { parseEvent, readEvents } from './sse.ts';

/** Model of the existing service, which does not report it. */
const DEFAULT_MODEL = 'htdemucs';
const MAX_WARNINGS = 5;
/** Limit of the request for the models. */
const HEALTH_TIMEOUT_MS = 5_000;
/** Codes of faults of a model begin so. */
const MODEL_CODES = /^model_/;
/** Fault of a model that a later attempt may not have. The service itself is available. */
const MODEL_LATER = 'model_memory';

/** What the service made: the object paths of the stems, the model's name, and what the user has to know. */
export type Separated = { paths: StoredStems; model: string; warnings: string[] };

export interface SeparateOptions {
  signal: AbortSignal;
  /** Limit of the whole call. */
  timeoutMs: number;
  /** Time without an event after which the service counts as hung: of a service without a stream, the limit of the call. */
  idleMs: number;
  token?: string;
  /** Receives the share that is separated, 0..1, and a text. */
  onProgress: (progress: number, message: string) => void;
}

/**
 * Separates a song, or the ranges of the request, into four stems, which the service writes to Storage. A service that does not know
 * ranges separates the whole song.
 * @throws TaskError. A model that cannot be used is a permanent fault, or transient if it lacks memory
 */
export async function callSeparate(
  baseUrl: string,
  request: SeparateRequest,
  { signal, timeoutMs, idleMs, token, onProgress }: SeparateOptions,
): Promise<Separated> {
  try {
    const answer = await withIdleLimit('separation', idleMs, signal, (either, onEvent) =>
      withResponse(
        {
          service: 'separation',
          baseUrl,
          path: SERVICE_DEFAULTS.separation.path,
          accept: 'text/event-stream, application/json',
          body: request,
          signal: either,
          timeoutMs,
          token,
        },
        (response) =>
          /^text\/event-stream/i.test(response.headers['content-type'] ?? '')
            ? readStream(response, onEvent, onProgress)
            : readJson('separation', response),
      ),
    );
    return readAnswer(answer);
  } catch (error) {
    throw asModelFault(error);
  }
}

function readAnswer(answer: unknown): Separated {
  const { stems, pieces = [], warnings = [], ...response } = parseResponse('separation', SeparateResponse, answer);
  const model = response['model'];
  return {
    // Parsing leaves out members of older services that are not stems.
    paths: stems ? StemPaths.parse(stems) : { pieces },
    model: typeof model === 'string' && model !== '' ? model.slice(0, 100) : DEFAULT_MODEL,
    warnings: warnings.slice(0, MAX_WARNINGS).map((warning) => redact(warning, 300)),
  };
}

/** Returns the terminal event of a stream. Passes progress on. */
async function readStream(
  response: IncomingMessage,
  onEvent: () => void,
  onProgress: SeparateOptions['onProgress'],
): Promise<unknown> {
  for await (const data of readEvents(response)) {
    onEvent();
    const event = parseEvent(data);
    if (typeof event['error'] === 'string') throw eventFault(event['error'], event);
    if (event['success'] === true) return event;
    if (event['progress'] === undefined) continue;
    onProgress(
      asShare(event['progress'], 0),
      typeof event['message'] === 'string' ? redact(event['message'], 100) : '',
    );
  }
  throw new TaskError('The separation service ended the stream before the song was separated.', {
    code: 'service_connection_lost',
    hint: 'It is retried automatically. If this lasts, check the memory and the log of the service.',
    faultClass: 'transient',
  });
}

function eventFault(text: string, event: Record<string, unknown>): TaskError {
  const { code, hint } = event;
  if (typeof code === 'string' && MODEL_CODES.test(code))
    return modelFault(redact(text), code.slice(0, 60), typeof hint === 'string' ? redact(hint, 300) : undefined);
  const { retry_after_sec: wait, status, ...rest } = event;
  return faultOfResponse({
    service: 'separation',
    status: asNumber(status, 500),
    retryAfter: typeof wait === 'number' ? String(Math.ceil(wait)) : undefined,
    body: JSON.stringify({ ...rest, detail: text }),
  });
}

/** A fault of a model is not one of the service: its circuit stays closed, and other songs are separated. */
function modelFault(message: string, code: string, hint?: string): TaskError {
  return new TaskError(message, {
    code,
    hint: hint ?? 'Choose the classical separation, or check the model with `mashup doctor`.',
    faultClass: code === MODEL_LATER ? 'transient' : 'permanent',
  });
}

function asModelFault(error: unknown): unknown {
  if (!(error instanceof TaskError) || !MODEL_CODES.test(error.code)) return error;
  return modelFault(error.message, error.code, error.hint);
}

/**
 * Requests the models of the service from `/health`. Returns undefined if the service answers and does not name them.
 * @throws TaskError if it does not answer
 */
export async function fetchModels(
  baseUrl: string,
  { signal, token }: { signal: AbortSignal; token?: string },
): Promise<SeparationModels | undefined> {
  try {
    const call = { service: 'separation' as const, baseUrl, path: '/health', signal, token };
    const answer = await callJson({ ...call, timeoutMs: HEALTH_TIMEOUT_MS });
    return HealthResponse.safeParse(answer).data?.models;
  } catch (error) {
    // Other programs have no such path, or answer it in another way.
    if (
      error instanceof TaskError &&
      (error.status === 404 || error.status === 405 || error.code === 'service_answer_invalid')
    )
      return undefined;
    throw error;
  }
}

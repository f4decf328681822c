/** Classifies error responses of services by status and error code. Only four faults that have no code are recognised by text. */
import { z } from 'zod';
import { AUDIO_ERROR_CODES, tokenVariable } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import { serviceTitle, TaskError } from '../errors.ts';
import type { FaultClass } from '../errors.ts';
import { redact } from '../redact.ts';

/** Longest delay that a service may request. */
const MAX_RETRY_AFTER_SEC = 600;

/** What proxies answer in place of a service that they cannot reach; from 520 on, those of Cloudflare. */
const UNAVAILABLE: ReadonlySet<number> = new Set([502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 530]);
/** Of these: the proxy waited for an answer, so that the service may still work on the request. */
const NO_ANSWER_IN_TIME: ReadonlySet<number> = new Set([504, 524]);
const OVERLOADED: ReadonlySet<number> = new Set([429, 529]);
const LATER: ReadonlySet<number> = new Set([408, 425]);

/** Codes by which the audio services report that they could not download or upload a file. */
const FILE_CODES: ReadonlySet<string> = new Set(['fetch_failed', 'upload_failed', 'storage_unavailable']);

/** Error bodies of services. Older services and proxies use other members for the text. */
const ErrorBody = z.looseObject({
  detail: z.unknown().optional(),
  error: z.unknown().optional(),
  message: z.unknown().optional(),
  code: z.string().max(60).optional().catch(undefined),
  hint: z.string().optional().catch(undefined),
});
const DetailEntry = z.looseObject({
  loc: z.array(z.union([z.string(), z.number()])).default([]),
  msg: z.string().default('is not valid'),
});

interface ReadError {
  text: string;
  code?: string;
  hint?: string;
  /** The whole body, if it is an object; untrusted. */
  body?: Record<string, unknown>;
}

/** Returns the fault class of an HTTP status. */
export function classOfStatus(status: number): FaultClass {
  if (OVERLOADED.has(status)) return 'overloaded';
  if (UNAVAILABLE.has(status)) return 'unavailable';
  if (LATER.has(status) || status >= 500) return 'transient';
  return 'permanent';
}

/** Reads the text of an error: `detail` (a text, or entries with path and message), `error`, `message`, or the whole body. */
export function readErrorBody(body: string): ReadError {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { text: redact(body.replace(/<[^>]*>/g, ' ')) };
  }
  const found = ErrorBody.safeParse(parsed);
  if (!found.success) return { text: redact(body) };
  const { detail, error, message, code, hint } = found.data;
  const entries = z.array(DetailEntry).safeParse(detail);
  const text = entries.success
    ? entries.data.map((entry) => `${entry.loc.join('.')}: ${entry.msg}`).join('; ')
    : [detail, error, message].find((value): value is string => typeof value === 'string' && value !== '');
  return {
    text: redact(text ?? body),
    code,
    hint: hint === undefined ? undefined : redact(hint, 300),
    body: found.data,
  };
}

/** Returns the typed error of a response whose status is not 200. */
export function faultOfResponse(response: {
  service: ServiceName;
  status: number;
  retryAfter?: string;
  body: string;
}): TaskError {
  const { service, status } = response;
  const { text, code, hint, body } = readErrorBody(response.body);
  const retryAfterSec = readRetryAfter(response.retryAfter);
  const known = untypedFault(service, text);
  if (known && status === 500) return known;
  if (status === 401 && (code === undefined || code === 'service_token_refused')) return tokenFault(service, text);
  const faultClass = classOfStatus(status);
  // A code on a 4xx names a fault of the input: the user sees the service's own message.
  if (code !== undefined && status >= 400 && status < 500 && faultClass === 'permanent') {
    return new TaskError(text, { code, hint: hint ?? 'Change the input and try again.', faultClass, status, body });
  }
  if (faultClass === 'unavailable' && code !== undefined && FILE_CODES.has(code)) return storageFaultOf(service, text);
  const title = serviceTitle(service);
  const shared = { status, faultClass, retryAfterSec };
  switch (faultClass) {
    case 'overloaded':
      return new TaskError(`${title} is overloaded (${status}): ${text}`, {
        ...shared,
        code: 'service_overloaded',
        hint: 'It is retried automatically, a little later.',
      });
    case 'unavailable':
      return new TaskError(`${title} is not available (${status}): ${text}`, {
        ...shared,
        code: NO_ANSWER_IN_TIME.has(status) ? 'service_timeout' : (code ?? 'service_unavailable'),
        hint: 'It is retried automatically. If this lasts, check that the service runs.',
        // Without a code it is not the service that says so: most often a proxy in front of one that is away.
        spendsAttempt: code === undefined ? 'if_answering' : true,
      });
    case 'transient':
      return new TaskError(`${title} failed (${status}): ${text}`, {
        ...shared,
        code: code ?? 'service_failed',
        hint: hint ?? 'Retry the mashup. If it fails again, check the log of the service.',
      });
    default:
      return new TaskError(`${title} rejected the request (${status}): ${text}`, {
        ...shared,
        code: status === 404 || status === 405 ? 'service_not_there' : 'service_refused',
        hint:
          status === 404 || status === 405 || status < 400
            ? 'Check the URL of the service: another program is responding there.'
            : 'The versions of the service and the worker may differ; the message names the rejected value.',
      });
  }
}

/**
 * Returns the error of a service that could not reach Storage, by its own account. Storage is to blame, not the service. It
 * spends an attempt: where Storage answers the worker, only this service may be cut off from it.
 */
export function storageFaultOf(service: ServiceName, text: string): TaskError {
  return new TaskError(`${serviceTitle(service)} cannot reach Storage: ${text}`, {
    code: 'storage_unavailable',
    hint: 'It is retried automatically. If this lasts, check that Storage runs and can be reached from the services.',
    faultClass: 'unavailable',
    service: 'storage',
  });
}

/** Returns the error of a service that refuses the worker's token. Its circuit opens at once: no task can do anything with it. */
function tokenFault(service: ServiceName, text: string): TaskError {
  return new TaskError(`${serviceTitle(service)} refuses the worker (401): ${text}`, {
    code: 'service_token_refused',
    hint: `Set SERVICES_TOKEN or ${tokenVariable(service)} of the workers to the token of the service, and restart them.`,
    faultClass: 'refused',
    spendsAttempt: false,
    status: 401,
  });
}

/** Recognises permanent faults that the existing services report as a plain 500. */
export function untypedFault(service: ServiceName, text: string): TaskError | undefined {
  if (service === 'analysis' && /format not recognised/i.test(text)) {
    return new TaskError('The analysis cannot read the format of the file.', {
      code: 'audio_unsupported_format' satisfies (typeof AUDIO_ERROR_CODES)[number],
      hint: 'Use an MP3, WAV, AIFF, FLAC or Ogg Vorbis file.',
      faultClass: 'permanent',
      status: 500,
    });
  }
  if (/EntityTooLarge|Payload too large|exceeded the maximum allowed size/i.test(text)) {
    return new TaskError(
      `${serviceTitle(service)} could not upload a file, because Storage accepts no larger ones: ${text}`,
      {
        code: 'upload_too_large',
        hint: 'Raise the limit of the project (Storage settings, global file size limit) and of bucket mashups; `mashup doctor` shows both. The built-in services split stems to keep the limit.',
        faultClass: 'permanent',
      },
    );
  }
  if (service === 'processing' && /'SongInfo'|(^|[\s:])'data'/.test(text)) {
    return new TaskError(`The rendering service has a defect and cannot render: ${text}`, {
      code: 'service_defect',
      hint: 'Unset PROCESSING_API_URL to use the built-in renderer, or fix the service.',
      faultClass: 'permanent',
    });
  }
  return undefined;
}

function readRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(0, seconds), MAX_RETRY_AFTER_SEC) : undefined;
}

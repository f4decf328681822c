/** What a service's error answer means: by status and typed code, never by words, but for three faults that have no type. */
import { z } from 'zod';
import { AUDIO_ERROR_CODES } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import { serviceWords, TaskError } from '../errors.ts';
import type { FaultClass } from '../errors.ts';
import { redact } from '../redact.ts';

/** Longest wait that a service may ask for. */
const MAX_RETRY_AFTER_SEC = 600;

const UNAVAILABLE: ReadonlySet<number> = new Set([502, 503, 504]);
const OVERLOADED: ReadonlySet<number> = new Set([429, 529]);
const LATER: ReadonlySet<number> = new Set([408, 425]);

/** Error bodies as services write them; older callers and proxies have other members for the text. */
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
  /** All of it, where it is an object; untrusted. */
  body?: Record<string, unknown>;
}

/** Class of a status: what an attempt that got it means for the next one. */
export function classOfStatus(status: number): FaultClass {
  if (OVERLOADED.has(status)) return 'overloaded';
  if (UNAVAILABLE.has(status)) return 'unavailable';
  if (LATER.has(status) || status >= 500) return 'transient';
  return 'permanent';
}

/** Reads `detail` (a text, or entries with path and message), then `error`, then `message`, then the text itself. */
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

/** The typed error of an answer that is no 200. */
export function faultOfAnswer(answer: {
  service: ServiceName;
  status: number;
  retryAfter?: string;
  body: string;
}): TaskError {
  const { service, status } = answer;
  const { text, code, hint, body } = readErrorBody(answer.body);
  const retryAfterSec = readRetryAfter(answer.retryAfter);
  const known = untypedFault(service, text);
  if (known && status === 500) return known;
  const faultClass = classOfStatus(status);
  // A code on a 4xx says what is wrong with the input; the user reads the service's own words.
  if (code !== undefined && status >= 400 && status < 500 && faultClass === 'permanent') {
    return new TaskError(text, { code, hint: hint ?? 'Change the input and try again.', faultClass, status, body });
  }
  const subject = serviceWords(service);
  const shared = { status, faultClass, retryAfterSec };
  switch (faultClass) {
    case 'overloaded':
      return new TaskError(`${subject} has too much to do (${status}): ${text}`, {
        ...shared,
        code: 'service_overloaded',
        hint: 'It is tried again by itself, a little later.',
      });
    case 'unavailable':
      return new TaskError(`${subject} is not available (${status}): ${text}`, {
        ...shared,
        code: status === 504 ? 'service_timeout' : (code ?? 'service_unavailable'),
        hint: 'It is tried again by itself. If this lasts, check that the service runs.',
      });
    case 'transient':
      return new TaskError(`${subject} failed (${status}): ${text}`, {
        ...shared,
        code: code ?? 'service_failed',
        hint: hint ?? 'Retry the mashup. If it fails again, the log of the service says why.',
      });
    case 'permanent':
      return new TaskError(`${subject} refused the request (${status}): ${text}`, {
        ...shared,
        code: status === 404 || status === 405 ? 'service_not_there' : 'service_refused',
        hint:
          status === 404 || status === 405 || status < 400
            ? 'Check the URL of the service: something else is answering there.'
            : 'The service and this worker may be of different versions; the message names what it did not like.',
      });
  }
}

/** Faults that existing services report as a plain 500 although no further try can help. */
export function untypedFault(service: ServiceName, text: string): TaskError | undefined {
  if (service === 'analysis' && /format not recognised/i.test(text)) {
    return new TaskError('The file is in a format that the analysis cannot read.', {
      code: 'audio_unsupported_format' satisfies (typeof AUDIO_ERROR_CODES)[number],
      hint: 'Use an MP3, WAV, FLAC or Ogg Vorbis file.',
      faultClass: 'permanent',
      status: 500,
    });
  }
  if (service === 'processing' && /'SongInfo'|(^|[\s:])'data'/.test(text)) {
    return new TaskError(`The rendering service cannot render anything as it is: ${text}`, {
      code: 'service_defect',
      hint: 'Leave PROCESSING_API_URL unset to use the built-in renderer, or correct the service.',
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

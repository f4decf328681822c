/** Errors of the services and their form on the wire: `{detail, code, hint}`. */
import type { z } from 'zod';
import type { ServiceErrorBody } from '../../schema.ts';
import { scrubText } from './scrub.ts';

/** Longest part of an invalid input that a 422 repeats, in characters of JSON. */
const MAX_ECHOED_INPUT_LENGTH = 200;

/** An error with an HTTP status. A handler throws it; the client receives `{detail, code, hint}`. */
export class ServiceError extends Error {
  readonly status: number;
  readonly code: string | undefined;
  /** What to do next, in one sentence. */
  readonly hint: string | undefined;
  /** Seconds for a `Retry-After` header. */
  readonly retryAfterSec: number | undefined;
  /** Further members of the error's body. */
  readonly extra: Record<string, unknown>;

  constructor(
    message: string,
    options: {
      status?: number;
      code?: string;
      hint?: string;
      retryAfterSec?: number;
      extra?: Record<string, unknown>;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ServiceError';
    this.status = options.status ?? 500;
    this.code = options.code;
    this.hint = options.hint;
    this.retryAfterSec = options.retryAfterSec;
    this.extra = options.extra ?? {};
  }
}

/** Returns the terminal event of a stream for an error, with the status that it has without a stream. */
export function toErrorEvent(error: unknown): Record<string, unknown> {
  if (!(error instanceof ServiceError)) return { error: scrubText(String(error)), status: 500 };
  const { status, code, hint, retryAfterSec, extra } = error;
  return { ...extra, error: scrubText(error.message), status, code, hint, retry_after_sec: retryAfterSec };
}

type Detail = Exclude<ServiceErrorBody['detail'], string>;

/** A request body that is not JSON or does not match its schema: a 422 with one entry per invalid field. */
export class InvalidBodyError extends Error {
  readonly detail: Detail;

  constructor(detail: Detail, cause?: unknown) {
    super('The request body is invalid', { cause });
    this.name = 'InvalidBodyError';
    this.detail = detail;
  }

  /** The issues that zod found in `body`, in the form of the services' contract. */
  static fromIssues(issues: readonly z.core.$ZodIssue[], body: unknown): InvalidBodyError {
    return new InvalidBodyError(issues.map((issue) => detailOf(issue, body)));
  }
}

/** Status, body and headers of the response to a failed request. */
type ErrorResponse = { status: number; body: ServiceErrorBody; headers: Record<string, string> };

/** Converts an error to a response: InvalidBodyError to 422, ServiceError to its own status, anything else to 500. */
export function errorResponse(error: unknown): ErrorResponse {
  if (error instanceof InvalidBodyError) return { status: 422, body: { detail: error.detail }, headers: {} };
  if (!(error instanceof ServiceError))
    return {
      status: 500,
      body: { detail: scrubText(error instanceof Error ? error.message : String(error)) },
      headers: {},
    };
  const body: ServiceErrorBody = { ...error.extra, detail: scrubText(error.message) };
  if (error.code !== undefined) body.code = error.code;
  if (error.hint !== undefined) body.hint = scrubText(error.hint);
  const headers: Record<string, string> =
    error.retryAfterSec === undefined ? {} : { 'Retry-After': String(Math.max(0, Math.ceil(error.retryAfterSec))) };
  return { status: error.status, body, headers };
}

function detailOf(issue: z.core.$ZodIssue, body: unknown): Detail[number] {
  const input = valueAt(body, issue.path);
  const isMissing = issue.code === 'invalid_type' && input === undefined;
  return {
    type: isMissing ? 'missing' : issue.code,
    loc: ['body', ...issue.path.map((part) => (typeof part === 'symbol' ? part.toString() : part))],
    msg: isMissing ? 'Field required' : issue.message,
    ...(isShort(input) ? { input } : {}),
  };
}

function isShort(input: unknown): boolean {
  try {
    return input !== undefined && JSON.stringify(input).length <= MAX_ECHOED_INPUT_LENGTH;
  } catch {
    // JSON.stringify overflows the stack on nesting that JSON.parse accepts.
    return false;
  }
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = (current as Record<PropertyKey, unknown>)[part];
  }
  return current;
}

/** Errors of REST: PostgREST's own codes, and the HTTP status of each SQLSTATE. */
import type { OutgoingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { DatabaseError } from '../database.ts';
import { CALLS_HINT, HttpError } from '../http.ts';
import { TokenError } from '../keys.ts';
import type { Role } from '../keys.ts';

/** Creates an error with the body of PostgREST: all four members are present, null if empty. */
export function restError(
  status: number,
  code: string,
  message: string,
  options: { details?: unknown; hint?: string | null; headers?: OutgoingHttpHeaders; reason?: string } = {},
): HttpError {
  const body = { code, details: options.details ?? null, hint: options.hint ?? null, message };
  const challenge = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
  const headers = { 'proxy-status': `PostgREST; error=${code}`, ...challenge, ...options.headers };
  return new HttpError(status, body, headers, options.reason);
}

/** Creates the error for a feature of PostgREST that this gateway does not implement: 501 `PGRST127`. */
export function unsupported(what: string): HttpError {
  return restError(501, 'PGRST127', 'Feature not implemented', {
    details: `The local gateway does not implement ${what}`,
    hint: CALLS_HINT,
  });
}

/** Creates the 401 for an invalid token, with PostgREST's messages. */
export function invalidTokenError(error: TokenError): HttpError {
  const expired = error.fault === 'expired';
  const message = expired ? 'JWT expired' : error.message;
  const description = message.replaceAll('"', "'");
  return restError(401, expired ? 'PGRST303' : 'PGRST301', message, {
    headers: { 'www-authenticate': `Bearer error="invalid_token", error_description="${description}"` },
  });
}

/** HTTP status by prefix of the SQLSTATE. The first match counts; all others are 400. */
const STATUS_BY_PREFIX: readonly (readonly [string, number])[] = [
  ['P0001', 400],
  ['P0', 500],
  ['23503', 409],
  ['23505', 409],
  ['25006', 405],
  ['42883', 404],
  ['42P01', 404],
  ['42P17', 500],
  ['53400', 500],
  ['57P01', 503],
  ['08', 503],
  ['53', 503],
  ['0L', 403],
  ['0P', 403],
  ['28', 403],
  ...['09', '25', '2D', '38', '39', '3B', '40', '54', '55', '57', '58', 'F0', 'HV', 'XX'].map(
    (prefix) => [prefix, 500] as const,
  ),
];

function statusOf(error: DatabaseError, role: Role): number {
  if (error.code === '42501') return role === 'anon' ? 401 : 403;
  if (error.code === '21000') return /requires a WHERE clause/.test(error.message) ? 400 : 500;
  if (error.code === '22023') return /^role .* does not exist$/.test(error.message) ? 401 : 400;
  return STATUS_BY_PREFIX.find(([prefix]) => error.code.startsWith(prefix))?.[1] ?? 400;
}

const RaisedBody = z.object({
  code: z.string(),
  message: z.string(),
  details: z.string().nullish(),
  hint: z.string().nullish(),
});
const RaisedStatus = z.object({
  status: z.number().int().min(100).max(599),
  headers: z.record(z.string(), z.string()),
  status_text: z.string().optional(),
});

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

/** `raise sqlstate 'PGRST'`: message and detail are JSON that describes the whole response. */
function errorFromRaise(error: DatabaseError): HttpError {
  const body = RaisedBody.safeParse(parseJson(error.message));
  const status = RaisedStatus.safeParse(parseJson(error.detail));
  if (body.success && status.success)
    return restError(status.data.status, body.data.code, body.data.message, {
      details: body.data.details,
      hint: body.data.hint,
      headers: status.data.headers,
      reason: status.data.status_text,
    });
  const part = body.success ? 'DETAIL' : 'MESSAGE';
  return restError(500, 'PGRST121', `Could not parse JSON in the "RAISE SQLSTATE 'PGRST'" error`, {
    details: `Invalid JSON value for ${part}: '${(body.success ? error.detail : error.message) ?? ''}'`,
    hint: `${part} must be a JSON object with obligatory keys: ${body.success ? "'status', 'headers'" : "'code', 'message'"} and optional keys: ${body.success ? "'status_text'" : "'details', 'hint'"}.`,
  });
}

/** Converts an error of Postgres to the response of PostgREST. */
export function toRestError(error: DatabaseError, role: Role): HttpError {
  if (error.code === 'PGRST') return errorFromRaise(error);
  const details = { details: error.detail, hint: error.hint };
  if (error.code.startsWith('PT')) {
    const status = Number(error.code.slice(2));
    const valid = Number.isInteger(status) && status >= 100 && status <= 599;
    return restError(valid ? status : 500, error.code, error.message, { ...details, reason: error.message });
  }
  return restError(statusOf(error, role), error.code, error.message, details);
}

/** Errors of Auth in both of its shapes: the client's request says by its API version which one it reads. */
import { header } from '../exchange.ts';
import { HttpError } from '../http.ts';
import type { Exchange } from '../exchange.ts';

const VERSION_HEADER = 'x-supabase-api-version';
const NEW_SHAPE_SINCE = '2024-01-01';

/** A refusal of Auth, before it is put into the caller's shape. */
export class AuthError extends Error {
  readonly status: number;
  readonly code: string;
  readonly extra: Record<string, unknown>;

  constructor(status: number, code: string, message: string, extra: Record<string, unknown> = {}) {
    super(message);
    this.name = 'AuthError';
    this.status = status;
    this.code = code;
    this.extra = extra;
  }
}

/** Headers of an Auth answer: the client trusts string codes only when its API version comes back. */
export function versionHeaders(exchange: Exchange): Record<string, string> {
  const asked = header(exchange.request.headers, VERSION_HEADER) ?? '';
  return asked >= NEW_SHAPE_SINCE ? { [VERSION_HEADER]: NEW_SHAPE_SINCE } : {};
}

/** Puts a refusal into the shape that the caller reads. */
export function toHttpError(exchange: Exchange, error: AuthError): HttpError {
  const version = versionHeaders(exchange);
  const body =
    VERSION_HEADER in version
      ? { code: error.code, message: error.message, ...error.extra }
      : { code: error.status, error_code: error.code, msg: error.message, ...error.extra };
  return new HttpError(error.status, body, { ...version, 'x-sb-error-code': error.code });
}

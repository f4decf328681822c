/** Errors of Auth. Their bodies have one of two shapes, by the API version that the client sends. */
import { header } from '../exchange.ts';
import { HttpError } from '../http.ts';
import type { Exchange } from '../exchange.ts';

const VERSION_HEADER = 'x-supabase-api-version';
const NEW_SHAPE_SINCE = '2024-01-01';

/** An error of Auth, independent of the shape of its body. */
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

/** Returns the version header of a response: the client reads string codes only if its API version is repeated. */
export function versionHeaders(exchange: Exchange): Record<string, string> {
  const version = header(exchange.request.headers, VERSION_HEADER) ?? '';
  return version >= NEW_SHAPE_SINCE ? { [VERSION_HEADER]: NEW_SHAPE_SINCE } : {};
}

/** Converts an error to the response that the caller reads. */
export function toHttpError(exchange: Exchange, error: AuthError): HttpError {
  const version = versionHeaders(exchange);
  const body =
    VERSION_HEADER in version
      ? { code: error.code, message: error.message, ...error.extra }
      : { code: error.status, error_code: error.code, msg: error.message, ...error.extra };
  return new HttpError(error.status, body, { ...version, 'x-sb-error-code': error.code });
}

/** Who may call a service: holders of SERVICES_TOKEN, or programs of this machine. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { ServiceError } from './errors.ts';

/** Paths that anyone may GET: they show that the service runs, and its version. */
const OPEN_PATHS: ReadonlySet<string> = new Set(['/health', '/healthz', '/readyz']);

/**
 * Rejects requests without the token. Without a token it rejects what a page in a browser sends, which is how other sites would
 * reach a service on a loopback address.
 */
export function requireAccess(token: string | undefined): MiddlewareHandler {
  return async (context, next) => {
    const { method, path } = context.req;
    if (OPEN_PATHS.has(path) && (method === 'GET' || method === 'HEAD')) return next();
    if (token === undefined) {
      if (context.req.header('Origin') === undefined) return next();
      throw new ServiceError('This service does not accept requests from web pages.', {
        status: 403,
        code: 'browser_refused',
        hint: 'Call it from a server, without an Origin header.',
      });
    }
    const [, given = ''] = /^Bearer\s+(\S+)$/i.exec(context.req.header('Authorization') ?? '') ?? [];
    if (isSame(given, token)) return next();
    throw new ServiceError('The request has no valid token of this service.', {
      status: 401,
      code: 'service_token_refused',
      hint: 'Set SERVICES_TOKEN of the worker to that of the service.',
    });
  };
}

/** Compares in a time that does not depend on where the texts differ. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** What the edge functions of public links share: GET without an account, one error for every link that shows nothing. */
import { Hono } from 'hono';
import type { z } from 'zod';
import { ShareToken } from '../../../schema/api.ts';
import { ApiError } from './api-error.ts';
import { serviceClient } from './caller.ts';
import { clientAddressOf } from './client-address.ts';
import { allowCors, toErrorResponse } from './http.ts';
import { callFunction } from './rpc.ts';

/** Seconds for which a response may be kept. A link that is revoked shows nothing after this time. */
const MAX_AGE_SEC = 30;

/** Headers of a response that may be kept for a short time. */
export const SHORT_LIVED = { 'cache-control': `public, max-age=${MAX_AGE_SEC}` };

interface PublicFunction<T> {
  /** Text for an unexpected failure. */
  failure: string;
  /** What the function reads of the mashup, with its shape. */
  part: 'mashup' | 'cover' | 'audio';
  shape: z.ZodType<T>;
}

/**
 * Creates the app of a function that reads a public link, whose token is in the query. Unknown, revoked and expired links, links that
 * were taken down, and all of them while sharing is off get the same 404.
 */
export function createPublicApp<T>(
  { failure, part, shape }: PublicFunction<T>,
  answer: (shared: T, request: Request) => Promise<Response> | Response,
): Hono {
  const app = new Hono();
  app.use(...allowCors(['GET', 'HEAD', 'OPTIONS']));
  // Hono answers HEAD as GET, without the body.
  app.get('*', async ({ req: { raw: request } }) => {
    const token = ShareToken.safeParse(new URL(request.url).searchParams.get('token'));
    const parameters = { p_token: token.data ?? '', p_part: part, p_client: clientAddressOf(request) };
    // A token of another form is read as well: the database counts it.
    const shared = await callFunction(serviceClient(), 'read_share', parameters, shape.nullable(), failure);
    if (shared === null) throw shareNotFound();
    return answer(shared, request);
  });
  app.all('*', (context) => {
    throw new ApiError(405, 'method_not_allowed', 'Method not allowed', {
      hint: 'Send a GET request with the token of the link: ?token=….',
      details: `${context.req.method} is not supported.`,
    });
  });
  app.onError((thrown) => {
    const response = toErrorResponse(thrown, failure);
    response.headers.set('cache-control', 'no-store');
    return response;
  });
  return app;
}

function shareNotFound(): ApiError {
  return new ApiError(404, 'share_not_found', 'There is no such mashup', {
    hint: 'The link may have been revoked. Ask whoever sent it for a new one.',
  });
}

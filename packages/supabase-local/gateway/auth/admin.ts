/** `/auth/v1/admin`: creates, lists and deletes users. Requires the service key. */
import { z } from 'zod';
import { notImplemented, sendJson } from '../http.ts';
import type { Exchange } from '../exchange.ts';
import { bearerOf, identityOf } from '../identity.ts';
import { parseBody, requireEmail } from './context.ts';
import type { AuthContext } from './context.ts';
import { AuthError, versionHeaders } from './errors.ts';
import { requireValidPassword } from './passwords.ts';
import { deleteUser, insertUser, listUsers, userJson, findUserById } from './users.ts';

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 1000;

const CreateUser = z.object({
  id: z.guid().optional(),
  email: z.string(),
  password: z.string().optional(),
  user_metadata: z.record(z.string(), z.unknown()).default({}),
  app_metadata: z.record(z.string(), z.unknown()).optional(),
});

const Count = z.coerce.number().int().min(1);

async function requireService(context: AuthContext, exchange: Exchange): Promise<void> {
  const bearer = bearerOf(exchange.request.headers);
  if (!bearer) throw new AuthError(401, 'no_authorization', 'This endpoint requires a valid Bearer token');
  const { role } = await identityOf(context.ring, bearer);
  if (role !== 'service_role') throw new AuthError(403, 'not_admin', 'User not allowed');
}

async function createUser(context: AuthContext, exchange: Exchange): Promise<void> {
  const body = await parseBody(exchange, CreateUser);
  if (body.password !== undefined) requireValidPassword(body.password);
  const user = await insertUser(context.sql, {
    id: body.id,
    email: requireEmail(body.email),
    password: body.password,
    userMetadata: body.user_metadata,
    appMetadata: body.app_metadata,
  });
  sendJson(exchange, 200, userJson(user), versionHeaders(exchange));
}

async function sendUserPage(context: AuthContext, exchange: Exchange): Promise<void> {
  const page = Count.catch(1).parse(exchange.query.get('page'));
  const perPage = Math.min(Count.catch(DEFAULT_PAGE_SIZE).parse(exchange.query.get('per_page')), MAX_PAGE_SIZE);
  const { users, total } = await listUsers(context.sql, page, perPage);
  sendJson(
    exchange,
    200,
    { users: users.map(userJson), aud: 'authenticated' },
    { ...versionHeaders(exchange), 'x-total-count': String(total) },
  );
}

/**
 * Handles one admin call; `path` is what follows `/auth/v1/admin`.
 * @throws AuthError 401 without a bearer, 403 for any other than the service key
 */
export async function handleAdmin(context: AuthContext, exchange: Exchange, path: string): Promise<void> {
  await requireService(context, exchange);
  if (path === '/users' && exchange.method === 'POST') return createUser(context, exchange);
  if (path === '/users' && exchange.method === 'GET') return sendUserPage(context, exchange);
  const id = z.guid().safeParse(/^\/users\/([^/]+)$/.exec(path)?.[1]);
  if (!id.success) throw notImplemented(`${exchange.method} /admin${path} of Auth`);
  const user = await findUserById(context.sql, id.data);
  if (!user) throw new AuthError(404, 'user_not_found', 'User not found');
  if (exchange.method === 'DELETE') {
    await deleteUser(context.sql, id.data);
    return sendJson(exchange, 200, {}, versionHeaders(exchange));
  }
  if (exchange.method !== 'GET') throw notImplemented(`${exchange.method} /admin${path} of Auth`);
  sendJson(exchange, 200, userJson(user), versionHeaders(exchange));
}

/** `POST /realtime/v1/api/broadcast…`: broadcasts without a socket, in batches (`send`) or one at a time (`httpSend`). */
import { z } from 'zod';
import { header } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import { decodePath, HttpError, notImplemented, readBody, readJson, send } from '../http.ts';
import { bearerOf, identityOf, requireApiKey } from '../identity.ts';
import type { Identity } from '../identity.ts';
import { canWrite } from './authorization.ts';
import type { RealtimeContext } from './channel.ts';

const Messages = z.object({
  messages: z.array(
    z.object({ topic: z.string(), event: z.string(), payload: z.unknown(), private: z.boolean().default(false) }),
  ),
});

const invalidMessages = (): HttpError => new HttpError(422, { errors: { messages: ['is invalid'] } });

/**
 * Broadcasts the messages of the body. Those for private topics that the caller may not write to are skipped.
 * @throws HttpError 401 without a valid API key, 422 for an invalid body
 */
export async function handleBroadcast({ sql, ring, topics }: RealtimeContext, exchange: Exchange): Promise<void> {
  const identity = await callerOf(ring, exchange);
  const parsed = Messages.safeParse(await readJson(exchange, invalidMessages));
  if (!parsed.success) throw invalidMessages();
  for (const { topic, event, payload, private: isPrivate } of parsed.data.messages) {
    if (isPrivate && !(await canWrite(sql, identity, topic, 'broadcast'))) continue;
    topics.broadcast(`realtime:${topic}`, isPrivate, { event, payload, binary: undefined });
  }
  send(exchange, 202);
}

/** Path of `httpSend`, below `/realtime/v1`. */
const SINGLE_PATH = /^\/api\/broadcast\/([^/]+)\/events\/([^/]+)$/;

/** Tests whether a path is that of one broadcast. */
export function isSingleBroadcast(path: string): boolean {
  return SINGLE_PATH.test(path);
}

/**
 * Broadcasts the body, JSON or bytes, to the topic of the path.
 * @throws HttpError 401 without a valid API key, 403 for a private topic that the caller may not write to, 422 for an invalid
 *   body, 501 for a message that is to be stored
 */
export async function handleSingleBroadcast(context: RealtimeContext, exchange: Exchange, path: string): Promise<void> {
  const [, topicPart = '', eventPart = ''] = SINGLE_PATH.exec(path) ?? [];
  const [topic, event] = [decodePath(topicPart), decodePath(eventPart)];
  const identity = await callerOf(context.ring, exchange);
  if ([...exchange.query.keys()].some((name) => name.startsWith('persist')))
    throw notImplemented('stored broadcasts of Realtime');
  const isPrivate = exchange.query.get('private') === 'true';
  const isBinary = header(exchange.request.headers, 'content-type') === 'application/octet-stream';
  const content = isBinary
    ? { payload: undefined, binary: await readBody(exchange) }
    : { payload: await readJson(exchange, invalidMessages), binary: undefined };
  if (isPrivate && !(await canWrite(context.sql, identity, topic, 'broadcast')))
    throw new HttpError(403, { message: 'Unauthorized' });
  context.topics.broadcast(`realtime:${topic}`, isPrivate, { event, ...content });
  send(exchange, 202);
}

async function callerOf(ring: RealtimeContext['ring'], exchange: Exchange): Promise<Identity> {
  const role = requireApiKey(exchange, ring);
  const bearer = bearerOf(exchange.request.headers);
  return bearer ? identityOf(ring, bearer) : { role, claims: { role } };
}

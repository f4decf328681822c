/** `POST /realtime/v1/api/broadcast`: broadcasts without a socket. */
import { z } from 'zod';
import type { Exchange } from '../exchange.ts';
import { HttpError, readJson, send } from '../http.ts';
import { bearerOf, identityOf, requireApiKey } from '../identity.ts';
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
  const role = requireApiKey(exchange, ring);
  const bearer = bearerOf(exchange.request.headers);
  const identity = bearer ? await identityOf(ring, bearer) : { role, claims: { role } };
  const parsed = Messages.safeParse(await readJson(exchange, invalidMessages));
  if (!parsed.success) throw invalidMessages();
  for (const { topic, event, payload, private: isPrivate } of parsed.data.messages) {
    if (isPrivate && !(await canWrite(sql, identity, topic, 'broadcast'))) continue;
    topics.broadcast(`realtime:${topic}`, isPrivate, { event, payload, binary: undefined });
  }
  send(exchange, 202);
}

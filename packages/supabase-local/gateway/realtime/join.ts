/** The payload of `phx_join`. */
import { z } from 'zod';
import { SubscriptionRequest } from './bindings.ts';
import { RealtimeError } from './errors.ts';

const JoinPayload = z.object({
  config: z
    .object({
      broadcast: z
        .object({
          ack: z.boolean().default(false),
          self: z.boolean().default(false),
          replication_ready: z.boolean().default(false),
        })
        .prefault({}),
      presence: z.object({ key: z.string().default(''), enabled: z.boolean().default(false) }).prefault({}),
      postgres_changes: z.array(SubscriptionRequest).default([]),
      private: z.boolean().default(false),
    })
    .prefault({}),
  access_token: z.string().nullish(),
});
type JoinPayload = z.infer<typeof JoinPayload>;

/** What a client configures when it joins a channel. */
export type JoinConfig = JoinPayload['config'];

/**
 * Parses the payload of a join.
 * @throws RealtimeError
 */
export function parseJoin(payload: unknown): JoinPayload {
  const parsed = JoinPayload.safeParse(payload);
  if (!parsed.success) throw new RealtimeError(`InvalidJoinPayload: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

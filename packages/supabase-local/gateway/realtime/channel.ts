/** One joined channel of one socket. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { z } from 'zod';
import type { KeyRing } from '../keys.ts';
import { canRead, canWrite } from './authorization.ts';
import { bindingId, openBinding, SubscriptionRequest } from './bindings.ts';
import type { Changes, ChangeSubscriber } from './changes.ts';
import { RealtimeError } from './errors.ts';
import type { PresenceDiff } from './presence.ts';
import type { Broadcast } from './protocol.ts';
import { readToken, secondsAgo } from './tokens.ts';
import type { Caller } from './tokens.ts';
import type { Member, Topics } from './topics.ts';

/**
 * How long after the join's reply the changes begin to flow, in milliseconds. Hosted Realtime takes longer; a stand-in that
 * were ready at once would hide code that takes SUBSCRIBED for ready.
 */
const READY_DELAY_MS = 150;

/** How long after a new token the ready message comes again, in milliseconds. */
const TOKEN_READY_DELAY_MS = 1_000;

/** setTimeout takes no more than this, in milliseconds; longer tokens are looked at again. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const PREFIX = 'realtime:';

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
type Config = z.infer<typeof JoinPayload>['config'];

const PresencePush = z.object({ event: z.string(), payload: z.record(z.string(), z.unknown()).default({}) });

/** What all channels share. */
export interface RealtimeContext {
  sql: Sql;
  ring: KeyRing;
  changes: Changes;
  topics: Topics;
}

/** How a channel speaks to its socket. A null `ref` is a push of the channel; `fan` a message to all of the topic. */
export interface ChannelOutput {
  push(topic: string, joinRef: string, ref: string | null, event: string, payload: unknown): void;
  broadcast(topic: string, event: string, payload: unknown): void;
  broadcastText(topic: string, event: string, payloadText: string): void;
  broadcastBytes(topic: string, broadcast: Broadcast): void;
}

export class Channel implements ChangeSubscriber, Member {
  readonly topic: string;
  readonly joinRef: string;
  readonly #context: RealtimeContext;
  readonly #output: ChannelOutput;
  readonly #config: Config;
  readonly #presenceKey: string;
  readonly #closed = new AbortController();
  #caller: Caller;
  #expiry: NodeJS.Timeout | undefined;
  bindings: ChangeSubscriber['bindings'] = [];

  private constructor(
    context: RealtimeContext,
    output: ChannelOutput,
    place: { topic: string; joinRef: string },
    config: Config,
    caller: Caller,
  ) {
    this.#context = context;
    this.#output = output;
    this.topic = place.topic;
    this.joinRef = place.joinRef;
    this.#config = config;
    this.#caller = caller;
    this.#presenceKey = config.presence.key === '' ? randomUUID() : config.presence.key;
  }

  /** Name of the channel, without the prefix. */
  get name(): string {
    return this.topic.slice(PREFIX.length);
  }

  /**
   * Checks a join and opens the channel; the caller then replies and calls `begin`. `connectionKey` is used where the
   * join carries no token. Throws RealtimeRefusal with the reason.
   */
  static async open(
    context: RealtimeContext,
    output: ChannelOutput,
    place: { topic: string; joinRef: string },
    payload: unknown,
    connectionKey: string,
  ): Promise<Channel> {
    if (!place.topic.startsWith(PREFIX) || place.topic.length === PREFIX.length)
      throw new RealtimeError('TopicNameRequired: You must provide a topic name');
    const parsed = JoinPayload.safeParse(payload);
    if (!parsed.success) throw new RealtimeError(`InvalidJoinPayload: ${z.prettifyError(parsed.error)}`);
    const { config, access_token: token } = parsed.data;
    const shown = token && !token.startsWith('sb_') ? token : connectionKey;
    const caller = await readToken(context.ring, shown, 'join');
    const channel = new Channel(context, output, place, config, caller);
    await channel.#requireRead();
    return channel;
  }

  identity(): Caller['identity'] {
    return this.#caller.identity;
  }

  /** The reply to the join: the subscriptions exactly as they were asked for, each with its number. */
  reply(): Record<string, unknown> {
    return { postgres_changes: this.#config.postgres_changes.map((wanted) => ({ ...wanted, id: bindingId(wanted) })) };
  }

  /** What follows the reply. */
  begin(): void {
    const { private: isPrivate, presence, broadcast, postgres_changes: wanted } = this.#config;
    this.#context.topics.join(this.topic, isPrivate, this);
    if (isPrivate || broadcast.replication_ready) void this.#openStream(broadcast.replication_ready);
    this.#watchExpiry();
    if (presence.enabled) this.#push('presence_state', this.#context.topics.presenceState(this.topic, isPrivate));
    if (wanted.length > 0) void this.#subscribe(READY_DELAY_MS);
  }

  /** Ends the channel without a word; `announce` tells the client, which then does not come back. */
  close(announce: boolean): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    clearTimeout(this.#expiry);
    this.#context.changes.unsubscribe(this);
    this.#context.topics.leave(this.topic, this.#config.private, this);
    if (announce) this.#output.push(this.topic, this.joinRef, this.joinRef, 'phx_close', {});
  }

  get isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  /** A token pushed by the client: the same one, none, or an opaque key changes nothing. */
  async takeToken(token: unknown): Promise<void> {
    if (typeof token !== 'string' || token.startsWith('sb_') || token === this.#caller.token) return;
    try {
      this.#caller = await readToken(this.#context.ring, token, 'push');
      await this.#requireRead(`You no longer have permission to read from this Channel topic: ${this.name}`);
    } catch (error) {
      return this.#refuse(error);
    }
    this.#watchExpiry();
    if (this.#config.postgres_changes.length > 0) void this.#subscribe(TOKEN_READY_DELAY_MS);
  }

  /** A broadcast of this channel's client. Resolves to whether it wants a reply. */
  async send(broadcast: Broadcast): Promise<boolean> {
    const { private: isPrivate, broadcast: options } = this.#config;
    const { sql, topics } = this.#context;
    if (isPrivate && !(await canWrite(sql, this.identity(), this.name, 'broadcast'))) return false;
    topics.broadcast(this.topic, isPrivate, broadcast, options.self ? undefined : this);
    return options.ack;
  }

  /** A presence push of this channel's client. */
  async present(payload: unknown): Promise<void> {
    const parsed = PresencePush.safeParse(payload);
    if (!parsed.success) throw new RealtimeError('Invalid presence payload');
    const { private: isPrivate } = this.#config;
    const { sql, topics } = this.#context;
    if (isPrivate && !(await canWrite(sql, this.identity(), this.name, 'presence'))) return;
    if (parsed.data.event === 'track')
      topics.track(this.topic, isPrivate, this, this.#presenceKey, parsed.data.payload);
    else if (parsed.data.event === 'untrack') topics.untrack(this.topic, isPrivate, this);
  }

  deliver(ids: number[], data: string): void {
    this.#output.broadcastText(this.topic, 'postgres_changes', `{"ids":${JSON.stringify(ids)},"data":${data}}`);
  }

  broadcast(broadcast: Broadcast): void {
    if (broadcast.binary) return this.#output.broadcastBytes(this.topic, broadcast);
    const { event, payload } = broadcast;
    this.#output.broadcast(this.topic, 'broadcast', { event, payload, type: 'broadcast' });
  }

  presenceDiff(diff: PresenceDiff): void {
    if (this.#config.presence.enabled) this.#output.broadcast(this.topic, 'presence_diff', diff);
  }

  #push(event: string, payload: unknown): void {
    if (!this.isClosed) this.#output.push(this.topic, this.joinRef, null, event, payload);
  }

  #system(extension: string, status: 'ok' | 'error', message: string): void {
    this.#push('system', { channel: this.name, extension, message, status });
  }

  /** The end of a channel whose token is not good any more: an error, then the close. */
  #refuse(error: unknown): void {
    this.#system('system', 'error', error instanceof RealtimeError ? error.message : 'Internal error');
    this.close(true);
  }

  async #requireRead(message?: string): Promise<void> {
    if (!this.#config.private || (await canRead(this.#context.sql, this.identity(), this.name))) return;
    const text = `Unauthorized: You do not have permissions to read from this Channel topic: ${this.name}`;
    throw new RealtimeError(message ?? text);
  }

  #watchExpiry(): void {
    clearTimeout(this.#expiry);
    const { expiresAt } = this.#caller;
    if (expiresAt === undefined) return;
    const left = expiresAt * 1000 - Date.now();
    this.#expiry = setTimeout(
      () => {
        if (Date.now() < expiresAt * 1000) this.#watchExpiry();
        else this.#refuse(new RealtimeError(secondsAgo(expiresAt)));
      },
      Math.min(Math.max(left, 0), LONGEST_TIMER_MS),
    );
  }

  /** What the database broadcasts comes by the stream; the client is told when it flows, where it wants to know. */
  async #openStream(announce: boolean): Promise<void> {
    try {
      await Promise.all([this.#context.changes.start(), delay(READY_DELAY_MS, undefined, { ref: false })]);
      if (announce) this.#system('system', 'ok', 'Replication connection established');
    } catch (error) {
      if (this.isClosed) return;
      console.error(`realtime: the stream does not open: ${String(error)}`);
      if (announce) this.#system('system', 'error', 'Replication connection was not established in time');
    }
  }

  async #subscribe(after: number): Promise<void> {
    const { signal } = this.#closed;
    const { sql, changes } = this.#context;
    try {
      const ready = delay(after, undefined, { signal });
      const role = this.identity().role;
      const opening = this.#config.postgres_changes.map((wanted) => openBinding(sql, role, wanted));
      const [bindings] = await Promise.all([Promise.all(opening), ready]);
      this.bindings = bindings;
      await changes.follow(this);
      if (signal.aborted) return changes.unsubscribe(this);
      this.#system('postgres_changes', 'ok', 'Subscribed to PostgreSQL');
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RealtimeError)) console.error(`realtime: a subscription failed: ${String(error)}`);
      const message = error instanceof RealtimeError ? error.message : 'Unable to start the replication of changes';
      this.#system('postgres_changes', 'error', message);
    }
  }
}

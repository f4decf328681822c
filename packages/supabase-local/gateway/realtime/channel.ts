/** One joined channel of one socket. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { z } from 'zod';
import type { KeyRing } from '../keys.ts';
import { canRead, canWrite } from './authorization.ts';
import { bindingId, openBinding } from './bindings.ts';
import type { ChangeFanOut } from './changes.ts';
import { RealtimeError } from './errors.ts';
import type { FrameWriter } from './frame-writer.ts';
import { parseJoin } from './join.ts';
import type { JoinConfig } from './join.ts';
import type { ChangeSubscriber } from './matching.ts';
import type { PresenceDiff } from './presence.ts';
import type { Broadcast } from './protocol.ts';
import { expiredMessage, readToken } from './tokens.ts';
import type { Caller } from './tokens.ts';
import type { TopicMember, Topics } from './topics.ts';

/**
 * Delay between the reply to a join and the first change, in milliseconds. Hosted Realtime takes longer. Without a delay,
 * code that treats SUBSCRIBED as ready would pass its tests here and lose changes there.
 */
const READY_DELAY_MS = 150;

/** Delay between a new token and the next ready message, in milliseconds. */
const TOKEN_READY_DELAY_MS = 1_000;

/** Longest delay of setTimeout, in milliseconds. The expiry of a longer token is checked again after it. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const TOPIC_PREFIX = 'realtime:';

const PresencePush = z.object({ event: z.string(), payload: z.record(z.string(), z.unknown()).default({}) });

/** What all channels share. `sql` is a pool for checks. */
export interface RealtimeContext {
  sql: Sql;
  ring: KeyRing;
  changes: ChangeFanOut;
  topics: Topics;
}

/** Where a join came from: its topic with prefix, and the reference of the join. */
interface ChannelAddress {
  topic: string;
  joinRef: string;
}

/** A channel that one socket has joined. */
export class Channel implements ChangeSubscriber, TopicMember {
  readonly topic: string;
  readonly joinRef: string;
  readonly #context: RealtimeContext;
  readonly #writer: FrameWriter;
  readonly #config: JoinConfig;
  readonly #presenceKey: string;
  readonly #closed = new AbortController();
  #caller: Caller;
  #expiry: NodeJS.Timeout | undefined;
  bindings: ChangeSubscriber['bindings'] = [];

  private constructor(
    context: RealtimeContext,
    writer: FrameWriter,
    address: ChannelAddress,
    config: JoinConfig,
    caller: Caller,
  ) {
    this.#context = context;
    this.#writer = writer;
    this.topic = address.topic;
    this.joinRef = address.joinRef;
    this.#config = config;
    this.#caller = caller;
    this.#presenceKey = config.presence.key === '' ? randomUUID() : config.presence.key;
  }

  /** The name of the channel: its topic without the prefix. */
  get name(): string {
    return this.topic.slice(TOPIC_PREFIX.length);
  }

  /**
   * Checks a join and opens the channel. The caller then sends the reply and calls `begin`.
   * @param connectionKey used if the join carries no token
   * @throws RealtimeError with the reason
   */
  static async open(
    context: RealtimeContext,
    writer: FrameWriter,
    address: ChannelAddress,
    payload: unknown,
    connectionKey: string,
  ): Promise<Channel> {
    if (!address.topic.startsWith(TOPIC_PREFIX) || address.topic.length === TOPIC_PREFIX.length)
      throw new RealtimeError('TopicNameRequired: You must provide a topic name');
    const { config, access_token: token } = parseJoin(payload);
    const credential = token && !token.startsWith('sb_') ? token : connectionKey;
    const caller = await readToken(context.ring, credential, 'join');
    const channel = new Channel(context, writer, address, config, caller);
    await channel.#requireRead();
    return channel;
  }

  /** The caller, by the last valid token. */
  identity(): Caller['identity'] {
    return this.#caller.identity;
  }

  /** Returns the response to the join: the subscriptions exactly as they were requested, each with its id. */
  joinResponse(): Record<string, unknown> {
    return {
      postgres_changes: this.#config.postgres_changes.map((request) => ({ ...request, id: bindingId(request) })),
    };
  }

  /** Starts the channel, after the reply to the join was sent. */
  begin(): void {
    const { private: isPrivate, presence, broadcast, postgres_changes: requests } = this.#config;
    this.#context.topics.join(this.topic, isPrivate, this);
    if (isPrivate || broadcast.replication_ready) void this.#openStream(broadcast.replication_ready);
    this.#watchExpiry();
    if (presence.enabled) this.#push('presence_state', this.#context.topics.presenceState(this.topic, isPrivate));
    if (requests.length > 0) void this.#subscribe(READY_DELAY_MS);
  }

  /** Closes the channel. With `announce` the client is told, and does not join again by itself. */
  close(announce: boolean): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    clearTimeout(this.#expiry);
    this.#context.changes.unsubscribe(this);
    this.#context.topics.leave(this.topic, this.#config.private, this);
    if (announce) this.#writer.push(this.topic, this.joinRef, this.joinRef, 'phx_close', {});
  }

  /** Whether the channel is closed. */
  get isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  /**
   * Handles a token that the client pushed. The current token, none, or an opaque key changes nothing. An invalid token
   * closes the channel.
   */
  async updateToken(token: unknown): Promise<void> {
    if (typeof token !== 'string' || token.startsWith('sb_') || token === this.#caller.token) return;
    try {
      this.#caller = await readToken(this.#context.ring, token, 'push');
      await this.#requireRead(`You no longer have permission to read from this Channel topic: ${this.name}`);
    } catch (error) {
      return this.#reject(error);
    }
    this.#watchExpiry();
    if (this.#config.postgres_changes.length > 0) void this.#subscribe(TOKEN_READY_DELAY_MS);
  }

  /** Sends a broadcast of this channel's client. Resolves to whether the client expects a reply. */
  async send(broadcast: Broadcast): Promise<boolean> {
    const { private: isPrivate, broadcast: options } = this.#config;
    const { sql, topics } = this.#context;
    if (isPrivate && !(await canWrite(sql, this.identity(), this.name, 'broadcast'))) return false;
    topics.broadcast(this.topic, isPrivate, broadcast, options.self ? undefined : this);
    return options.ack;
  }

  /** Handles a presence push of this channel's client. */
  async updatePresence(payload: unknown): Promise<void> {
    const parsed = PresencePush.safeParse(payload);
    if (!parsed.success) throw new RealtimeError('Invalid presence payload');
    const { private: isPrivate } = this.#config;
    const { sql, topics } = this.#context;
    if (isPrivate && !(await canWrite(sql, this.identity(), this.name, 'presence'))) return;
    if (parsed.data.event === 'track')
      topics.track(this.topic, isPrivate, this, this.#presenceKey, parsed.data.payload);
    else if (parsed.data.event === 'untrack') topics.untrack(this.topic, isPrivate, this);
  }

  /** Sends a change to the client. */
  deliver(ids: number[], data: string): void {
    this.#writer.broadcastText(this.topic, 'postgres_changes', `{"ids":${JSON.stringify(ids)},"data":${data}}`);
  }

  /** Repeats the ready message: clients read their rows when it arrives. */
  resume(): void {
    this.#announceReady();
  }

  /** Sends a broadcast of the topic to the client. */
  broadcast(broadcast: Broadcast): void {
    if (broadcast.binary) return this.#writer.broadcastBytes(this.topic, broadcast);
    const { event, payload } = broadcast;
    this.#writer.broadcast(this.topic, 'broadcast', { event, payload, type: 'broadcast' });
  }

  /** Sends a change of presence to the client. */
  presenceDiff(diff: PresenceDiff): void {
    if (this.#config.presence.enabled) this.#writer.broadcast(this.topic, 'presence_diff', diff);
  }

  #push(event: string, payload: unknown): void {
    if (!this.isClosed) this.#writer.push(this.topic, this.joinRef, null, event, payload);
  }

  #system(extension: string, status: 'ok' | 'error', message: string): void {
    this.#push('system', { channel: this.name, extension, message, status });
  }

  #announceReady(): void {
    this.#system('postgres_changes', 'ok', 'Subscribed to PostgreSQL');
  }

  /** Closes a channel whose token is invalid or expired: an error message, then the close. */
  #reject(error: unknown): void {
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
    const remaining = expiresAt * 1000 - Date.now();
    this.#expiry = setTimeout(
      () => {
        if (Date.now() < expiresAt * 1000) this.#watchExpiry();
        else this.#reject(new RealtimeError(expiredMessage(expiresAt)));
      },
      Math.min(Math.max(remaining, 0), MAX_TIMER_MS),
    );
  }

  /** Opens the stream for broadcasts of the database. With `announce` the client is told when it is open. */
  async #openStream(announce: boolean): Promise<void> {
    try {
      await Promise.all([this.#context.changes.start(), delay(READY_DELAY_MS, undefined, { ref: false })]);
      if (announce) this.#system('system', 'ok', 'Replication connection established');
    } catch (error) {
      if (this.isClosed) return;
      console.error(`realtime: the stream cannot be opened: ${String(error)}`);
      if (announce) this.#system('system', 'error', 'Replication connection was not established in time');
    }
  }

  async #subscribe(after: number): Promise<void> {
    const { signal } = this.#closed;
    const { sql, changes } = this.#context;
    try {
      const ready = delay(after, undefined, { signal });
      const role = this.identity().role;
      const opening = this.#config.postgres_changes.map((request) => openBinding(sql, role, request));
      const [bindings] = await Promise.all([Promise.all(opening), ready]);
      this.bindings = bindings;
      await changes.subscribe(this);
      if (signal.aborted) return changes.unsubscribe(this);
      this.#announceReady();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RealtimeError)) console.error(`realtime: a subscription failed: ${String(error)}`);
      const message = error instanceof RealtimeError ? error.message : 'Unable to start the replication of changes';
      this.#system('postgres_changes', 'error', message);
    }
  }
}

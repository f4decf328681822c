/**
 * Delivers committed changes, in commit order, to the channels that subscribed to them and may see them; and the messages
 * of `realtime.send` to the channels of their topic.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { isUnreachable } from '../database.ts';
import { matchChange } from './matching.ts';
import type { ChangeSubscriber, MatchedChange } from './matching.ts';
import { changeData } from './payload.ts';
import { PermissionReader } from './permissions.ts';
import type { Permissions } from './permissions.ts';
import type { TablePrivileges } from './privileges.ts';
import { ReplicationStream } from './replication.ts';
import { TableInfoCache } from './table-info.ts';
import type { Change, Relation, Transaction } from './transactions.ts';

/** How many changes of one transaction are checked together. */
const BATCH_SIZE = 50;
/** Delay before a database that cannot be reached is queried again, in milliseconds. */
const RETRY_MS = 100;

/** A message that `realtime.send` wrote. */
export interface DatabaseMessage {
  topic: string;
  isPrivate: boolean;
  event: string;
  payload: unknown;
}

const isMessages = ({ schema, name }: Relation): boolean => schema === 'realtime' && name === 'messages';

/** Returns the message of a row of realtime.messages. Who may receive it was decided when channels joined the topic. */
function messageOf({ type, row, relation }: Change): DatabaseMessage | undefined {
  if (type !== 'INSERT' || row?.['extension'] !== 'broadcast') return undefined;
  if (!isMessages(relation)) return undefined;
  const { topic, event, payload, private: isPrivate } = row;
  if (typeof topic !== 'string' || typeof event !== 'string' || typeof payload !== 'string') return undefined;
  return { topic, event, payload: JSON.parse(payload), isPrivate: isPrivate === 't' };
}

/** Connections of the fan-out. `checks` is a pool of a single connection, for permissions. */
interface Databases {
  sql: Sql;
  checks: Sql;
  dbUrl: string;
}

/** The fan-out of one database. The stream opens with `start` or with the first subscriber. */
export class ChangeFanOut {
  readonly #send: (message: DatabaseMessage) => void;
  readonly #subscribers = new Set<ChangeSubscriber>();
  readonly #tables: TableInfoCache;
  readonly #permissions: PermissionReader;
  readonly #stream: ReplicationStream;
  #isClosed = false;

  /** @param send receives the messages of `realtime.send` */
  constructor({ sql, checks, dbUrl }: Databases, send: (message: DatabaseMessage) => void) {
    this.#send = send;
    this.#tables = new TableInfoCache(sql);
    this.#permissions = new PermissionReader(checks);
    this.#stream = new ReplicationStream(
      sql,
      dbUrl,
      (transaction) => this.#deliver(transaction),
      () => this.#subscribers.forEach((subscriber) => subscriber.resume()),
    );
  }

  /** Opens the stream. Resolves when the stream contains every later commit. */
  start(): Promise<void> {
    return this.#stream.start();
  }

  /** Adds a subscriber. Resolves when it receives every later commit. */
  async subscribe(subscriber: ChangeSubscriber): Promise<void> {
    await this.#stream.start();
    this.#subscribers.add(subscriber);
  }

  /** Removes a subscriber. */
  unsubscribe(subscriber: ChangeSubscriber): void {
    this.#subscribers.delete(subscriber);
  }

  /** Closes the stream and drops its slot. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#stream.close();
  }

  async #deliver({ xid, changes: all, committedAt }: Transaction): Promise<void> {
    for (const change of all) {
      const message = messageOf(change);
      if (message) this.#send(message);
    }
    if (this.#subscribers.size === 0) return;
    const changes = all.filter(({ relation }) => !isMessages(relation));
    for (let start = 0; start < changes.length; start += BATCH_SIZE) {
      const batch = changes.slice(start, start + BATCH_SIZE);
      const matched = await this.#retry(() => Promise.all(batch.map((change) => this.#match(change))));
      const wanted = matched.filter(({ recipients }) => recipients.length > 0);
      if (wanted.length === 0) continue;
      const permissions = await this.#retry(() => this.#permissions.read(xid, wanted));
      for (const one of wanted) this.#deliverChange(one, permissions, committedAt);
    }
  }

  async #match(change: Change): Promise<MatchedChange> {
    return matchChange(change, await this.#tables.get(change.relation), this.#subscribers);
  }

  #deliverChange(matched: MatchedChange, permissions: Permissions, committedAt: string): void {
    const texts = new Map<TablePrivileges, string>();
    for (const recipient of matched.recipients) {
      const privileges = permissions.of(matched, recipient);
      if (!privileges || !this.#subscribers.has(recipient.subscriber)) continue;
      const text = texts.get(privileges) ?? changeData(matched.change, committedAt, matched.info, privileges);
      texts.set(privileges, text);
      recipient.subscriber.deliver(recipient.ids, text);
    }
  }

  /** Repeats a query until Postgres can be reached: changes that were received before a restart are still delivered. */
  async #retry<T>(query: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await query();
      } catch (error) {
        if (this.#isClosed || !isUnreachable(error)) throw error;
        await delay(RETRY_MS);
      }
    }
  }
}

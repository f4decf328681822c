/**
 * Fan-out of committed changes to the channels that asked for them and may see them, in commit order; and of the messages that
 * `realtime.send` wrote to the channels of their topic.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { isUnreachable } from '../database.ts';
import type { Identity } from '../identity.ts';
import type { Binding } from './bindings.ts';
import { matchesConditions } from './filters.ts';
import { changeData } from './payload.ts';
import { openRelations } from './relations.ts';
import type { TableFacts } from './relations.ts';
import { openReplication } from './replication.ts';
import type { Change, Relation, Transaction } from './replication.ts';
import { privilegesKey } from './privileges.ts';
import type { TablePrivileges, PrivilegesKey } from './privileges.ts';
import { ask } from './visibility.ts';
import type { Check } from './visibility.ts';

/** Changes of one transaction that are checked together. */
const BATCH = 50;
/** How soon a database that went away is asked again, in milliseconds. */
const AWAY_RETRY_MS = 100;

/** A channel with live subscriptions. Its identity is read at each change, so a new token counts from then on. */
export interface ChangeSubscriber {
  identity(): Identity;
  bindings: Binding[];
  deliver(ids: number[], data: string): void;
}

/** A message that was sent from the database. */
export interface SentMessage {
  topic: string;
  isPrivate: boolean;
  event: string;
  payload: unknown;
}

export interface Changes {
  /** Opens the stream; resolves when every later commit is in it. */
  start(): Promise<void>;
  /** Adds a follower; resolves when every later commit reaches it. */
  follow(subscriber: ChangeSubscriber): Promise<void>;
  unsubscribe(subscriber: ChangeSubscriber): void;
  close(): Promise<void>;
}

/** A follower that asked for a change. Whether it may have it is asked of the database. */
interface Recipient {
  subscriber: ChangeSubscriber;
  ids: number[];
  identity: Identity;
  /** The caller as one text: followers with equal claims share a check. */
  caller: string;
}

interface MatchedChange {
  change: Change;
  facts: TableFacts;
  recipients: Recipient[];
}

/** Who may have what of a batch of changes. */
interface Permissions {
  /** Undefined: nothing of this change. */
  of(prepared: MatchedChange, one: Recipient): TablePrivileges | undefined;
}

const privilegesKeyOf = ({ change }: MatchedChange, { identity }: Recipient): PrivilegesKey => ({
  oid: change.relation.relationOid,
  role: identity.role,
});

/** Whether rows of this change can be looked up at all: a deleted one is gone, and without a key there is no way to it. */
const canCheck = ({ change, facts }: MatchedChange): boolean => change.type !== 'DELETE' && facts.primaryKey.length > 0;

function matching(change: Change, facts: TableFacts, bindings: readonly Binding[]): number[] {
  const { schema, name } = change.relation;
  const row = change.row ?? change.old ?? {};
  const typeOf = (column: string): string => facts.types.get(column)?.name ?? 'text';
  return bindings
    .filter(
      (binding) =>
        (binding.event === '*' || binding.event === change.type) &&
        (binding.schema === '*' || binding.schema === schema) &&
        (binding.table === undefined || binding.table === name) &&
        matchesConditions(binding.conditions, row, typeOf),
    )
    .map((binding) => binding.id);
}

/** The message of a row of realtime.messages, if it is one to send. Who may hear it was decided at the join. */
function messageOf({ type, row, relation }: Change): SentMessage | undefined {
  if (type !== 'INSERT' || row?.['extension'] !== 'broadcast') return undefined;
  if (!isMessages(relation)) return undefined;
  const { topic, event, payload, private: isPrivate } = row;
  if (typeof topic !== 'string' || typeof event !== 'string' || typeof payload !== 'string') return undefined;
  return { topic, event, payload: JSON.parse(payload), isPrivate: isPrivate === 't' };
}

const isMessages = ({ schema, name }: Relation): boolean => schema === 'realtime' && name === 'messages';

/** Where the fan-out asks. `checks` is a pool of a single connection, for who may see what. */
interface Databases {
  sql: Sql;
  checks: Sql;
  dbUrl: string;
}

/** Opens the fan-out; the stream starts when it is asked for, or with the first follower. */
export function openChanges({ sql, checks, dbUrl }: Databases, send: (message: SentMessage) => void): Changes {
  const subscribers = new Set<ChangeSubscriber>();
  const relations = openRelations(sql);
  let closed = false;
  const replication = openReplication(sql, dbUrl, deliver);

  /** Whether rows of a table had to be checked for a role when it was asked last. Saves questions and decides nothing. */
  const wasRestricted = new Map<string, boolean>();

  async function prepare(change: Change): Promise<MatchedChange> {
    const facts = await relations.facts(change.relation);
    const recipients: Recipient[] = [];
    for (const subscriber of subscribers) {
      const ids = matching(change, facts, subscriber.bindings);
      if (ids.length === 0) continue;
      const identity = subscriber.identity();
      recipients.push({ subscriber, ids, identity, caller: JSON.stringify([identity.role, identity.claims]) });
    }
    return { change, facts, recipients };
  }

  async function permissions(xid: number, batch: readonly MatchedChange[]): Promise<Permissions> {
    const rightsAsked = new Map<string, PrivilegesKey>();
    const asked: Check[] = [];
    const places = new Map<MatchedChange, Map<string, number>>();
    for (const prepared of batch) {
      const callers = new Map<string, number>();
      places.set(prepared, callers);
      for (const one of prepared.recipients) {
        const question = privilegesKeyOf(prepared, one);
        rightsAsked.set(privilegesKey(question), question);
        if (callers.has(one.caller) || !canCheck(prepared) || wasRestricted.get(privilegesKey(question)) === false)
          continue;
        callers.set(
          one.caller,
          asked.push({ identity: one.identity, change: prepared.change, facts: prepared.facts }) - 1,
        );
      }
    }
    const { rights, visible } = await ask(checks, xid, { rights: [...rightsAsked.values()], checks: asked });
    for (const [key, { restricted }] of rights) wasRestricted.set(key, restricted);

    const isUnchecked = (prepared: MatchedChange, one: Recipient): boolean =>
      canCheck(prepared) &&
      rights.get(privilegesKey(privilegesKeyOf(prepared, one)))?.restricted === true &&
      !places.get(prepared)!.has(one.caller);
    // RLS was switched on since the last change: now the checks are asked as well.
    if (batch.some((prepared) => prepared.recipients.some((one) => isUnchecked(prepared, one))))
      return permissions(xid, batch);

    return {
      of(prepared, one) {
        const known = rights.get(privilegesKey(privilegesKeyOf(prepared, one)));
        if (!known || known.readable.size === 0) return undefined;
        if (!known.restricted || !canCheck(prepared)) return known;
        return visible[places.get(prepared)!.get(one.caller)!] === true ? known : undefined;
      },
    };
  }

  /** What Postgres has to say of a change that came before Postgres went away is asked until it is back. */
  async function insist<T>(question: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await question();
      } catch (error) {
        if (closed || !isUnreachable(error)) throw error;
        await delay(AWAY_RETRY_MS);
      }
    }
  }

  async function deliver({ xid, changes: all, committedAt }: Transaction): Promise<void> {
    for (const change of all) {
      const message = messageOf(change);
      if (message) send(message);
    }
    if (subscribers.size === 0) return;
    const changes = all.filter(({ relation }) => !isMessages(relation));
    for (let at = 0; at < changes.length; at += BATCH) {
      const prepared = await insist(() => Promise.all(changes.slice(at, at + BATCH).map(prepare)));
      const batch = prepared.filter(({ recipients }) => recipients.length > 0);
      if (batch.length === 0) continue;
      const permitted = await insist(() => permissions(xid, batch));
      for (const one of batch) hand(one, permitted, committedAt);
    }
  }

  function hand(prepared: MatchedChange, permitted: Permissions, committedAt: string): void {
    const texts = new Map<TablePrivileges, string>();
    for (const one of prepared.recipients) {
      const rights = permitted.of(prepared, one);
      if (!rights || !subscribers.has(one.subscriber)) continue;
      const text = texts.get(rights) ?? changeData(prepared.change, committedAt, prepared.facts, rights);
      texts.set(rights, text);
      one.subscriber.deliver(one.ids, text);
    }
  }

  return {
    start: () => replication.start(),
    async follow(subscriber) {
      await replication.start();
      subscribers.add(subscriber);
    },
    unsubscribe(subscriber) {
      subscribers.delete(subscriber);
    },
    close() {
      closed = true;
      return replication.close();
    },
  };
}

/** Fan-out of committed changes to the channels that asked for them and may see them, in commit order. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { isUnreachable } from '../database.ts';
import type { Identity } from '../identity.ts';
import type { Binding } from './bindings.ts';
import { meets } from './filters.ts';
import { changeData } from './payload.ts';
import { openRelations } from './relations.ts';
import type { Rights, TableFacts } from './relations.ts';
import { openReplication } from './replication.ts';
import type { Change, Transaction } from './replication.ts';
import { checkVisible } from './visibility.ts';
import type { Check } from './visibility.ts';

/** Changes of one transaction that are checked together. */
const BATCH = 50;
/** How soon a database that went away is asked again, in milliseconds. */
const AWAY_RETRY_MS = 100;

/** A channel with live subscriptions. Its identity is read at each change, so a new token counts from then on. */
export interface Follower {
  identity(): Identity;
  bindings: Binding[];
  deliver(ids: number[], data: string): void;
}

export interface Changes {
  /** Adds a follower; resolves when every later commit reaches it. */
  follow(follower: Follower): Promise<void>;
  unfollow(follower: Follower): void;
  close(): Promise<void>;
}

interface Addressed {
  follower: Follower;
  ids: number[];
  rights: Rights;
  /** The caller as one text: followers with equal claims share a check. */
  caller: string;
  identity: Identity;
}

interface Prepared {
  change: Change;
  facts: TableFacts;
  addressed: Addressed[];
}

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
        meets(binding.conditions, row, typeOf),
    )
    .map((binding) => binding.id);
}

/** Opens the fan-out; the stream starts with the first follower. */
export function openChanges(sql: Sql, dbUrl: string): Changes {
  const followers = new Set<Follower>();
  const relations = openRelations(sql);
  let closed = false;
  const replication = openReplication(sql, dbUrl, deliver);

  async function prepare(change: Change): Promise<Prepared> {
    const facts = await relations.facts(change.relation);
    const addressed: Addressed[] = [];
    for (const follower of followers) {
      const ids = matching(change, facts, follower.bindings);
      if (ids.length === 0) continue;
      const identity = follower.identity();
      const rights = await relations.rights(change.relation.relationOid, identity.role);
      if (rights.readable.size === 0) continue;
      addressed.push({ follower, ids, rights, identity, caller: JSON.stringify([identity.role, identity.claims]) });
    }
    return { change, facts, addressed };
  }

  /** Answers by change and caller, for those whose rows have to be checked. DELETE is not checked. */
  async function askVisible(xid: number, batch: readonly Prepared[]): Promise<Map<Prepared, Map<string, boolean>>> {
    const asked: { prepared: Prepared; caller: string; check: Check }[] = [];
    for (const prepared of batch) {
      const { change, facts, addressed } = prepared;
      if (change.type === 'DELETE' || facts.primaryKey.length === 0) continue;
      const callers = new Map(
        addressed.filter((one) => one.rights.restricted).map((one) => [one.caller, one.identity]),
      );
      for (const [caller, identity] of callers) asked.push({ prepared, caller, check: { identity, change, facts } });
    }
    const answers = await checkVisible(
      sql,
      xid,
      asked.map((one) => one.check),
    );
    const visible = new Map<Prepared, Map<string, boolean>>(batch.map((prepared) => [prepared, new Map()]));
    asked.forEach((one, place) => visible.get(one.prepared)!.set(one.caller, answers[place] === true));
    return visible;
  }

  /** What Postgres has to say of a change that came before Postgres went away is asked until it is back. */
  async function insist<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (closed || !isUnreachable(error)) throw error;
        await delay(AWAY_RETRY_MS);
      }
    }
  }

  async function deliver({ xid, changes, committedAt }: Transaction): Promise<void> {
    if (followers.size === 0) return;
    for (let at = 0; at < changes.length; at += BATCH) {
      const batch = await insist(() => Promise.all(changes.slice(at, at + BATCH).map(prepare)));
      const visible = await insist(() => askVisible(xid, batch));
      for (const prepared of batch) {
        const { change, facts, addressed } = prepared;
        const texts = new Map<Rights, string>();
        for (const { follower, ids, rights, caller } of addressed) {
          if (visible.get(prepared)!.get(caller) === false || !followers.has(follower)) continue;
          const text = texts.get(rights) ?? changeData(change, committedAt, facts, rights);
          texts.set(rights, text);
          follower.deliver(ids, text);
        }
      }
    }
  }

  return {
    async follow(follower) {
      await replication.start();
      followers.add(follower);
    },
    unfollow(follower) {
      followers.delete(follower);
    },
    close() {
      closed = true;
      return replication.close();
    },
  };
}

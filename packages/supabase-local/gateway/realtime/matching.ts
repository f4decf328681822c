/** Finds the subscriptions that ask for a change. Whether their callers may see it is decided afterwards. */
import type { Identity } from '../identity.ts';
import type { Binding } from './bindings.ts';
import { matchesConditions } from './filters.ts';
import type { TableInfo } from './table-info.ts';
import type { Change } from './transactions.ts';

/** A channel with subscriptions to changes. */
export interface ChangeSubscriber {
  /** Read at each change, so that a new token applies from then on. */
  identity(): Identity;
  bindings: Binding[];
  /** Sends a change: the numbers of the subscriptions that match, and the JSON text of the change. */
  deliver(ids: number[], data: string): void;
  /** Tells the client that the stream is ready again after changes may have been lost. */
  resume(): void;
}

/** A subscriber with the numbers of its subscriptions that match a change. */
export interface Recipient {
  subscriber: ChangeSubscriber;
  ids: number[];
  identity: Identity;
  /** Role and claims as one text: subscribers with equal claims share a check. */
  callerKey: string;
}

/** A change with everybody who asked for it. */
export interface MatchedChange {
  change: Change;
  info: TableInfo;
  recipients: Recipient[];
}

function matchingIds(change: Change, info: TableInfo, bindings: readonly Binding[]): number[] {
  const { schema, name } = change.relation;
  const row = change.row ?? change.old ?? {};
  const typeOf = (column: string): string => info.types.get(column)?.name ?? 'text';
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

/** Matches a change against the subscriptions of all subscribers. */
export function matchChange(change: Change, info: TableInfo, subscribers: Iterable<ChangeSubscriber>): MatchedChange {
  const recipients: Recipient[] = [];
  for (const subscriber of subscribers) {
    const ids = matchingIds(change, info, subscriber.bindings);
    if (ids.length === 0) continue;
    const identity = subscriber.identity();
    recipients.push({ subscriber, ids, identity, callerKey: JSON.stringify([identity.role, identity.claims]) });
  }
  return { change, info, recipients };
}

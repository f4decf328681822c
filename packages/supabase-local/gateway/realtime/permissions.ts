/** Decides who may see which change of a batch. */
import type { Sql } from 'postgres';
import type { MatchedChange, Recipient } from './matching.ts';
import { privilegesKey } from './privileges.ts';
import type { PrivilegesKey, TablePrivileges } from './privileges.ts';
import { queryVisibility } from './visibility.ts';
import type { RowCheck, VisibilityResult } from './visibility.ts';

/** Index of each check in the list of checks: by change, then by caller. */
type CheckIndex = Map<MatchedChange, Map<string, number>>;

const keyOf = ({ change }: MatchedChange, { identity }: Recipient): PrivilegesKey => ({
  oid: change.relation.relationOid,
  role: identity.role,
});

/** A deleted row no longer exists, and a row without a primary key cannot be found: neither can be checked. */
const canCheck = ({ change, info }: MatchedChange): boolean => change.type !== 'DELETE' && info.primaryKey.length > 0;

/** The permissions of one batch of changes. */
export class Permissions {
  readonly #result: VisibilityResult;
  readonly #index: CheckIndex;

  constructor(result: VisibilityResult, index: CheckIndex) {
    this.#result = result;
    this.#index = index;
  }

  /** Returns what a recipient may read of a change; undefined if the change is not delivered to it. */
  of(matched: MatchedChange, recipient: Recipient): TablePrivileges | undefined {
    const known = this.#privileges(matched, recipient);
    if (!known || known.readable.size === 0) return undefined;
    if (!known.restricted || !canCheck(matched)) return known;
    const index = this.#index.get(matched)!.get(recipient.callerKey)!;
    return this.#result.visible[index] === true ? known : undefined;
  }

  /** Whether RLS applies to a row for a recipient and the row was not checked. */
  isUnchecked(matched: MatchedChange, recipient: Recipient): boolean {
    return (
      canCheck(matched) &&
      this.#privileges(matched, recipient)?.restricted === true &&
      !this.#index.get(matched)!.has(recipient.callerKey)
    );
  }

  #privileges(matched: MatchedChange, recipient: Recipient): TablePrivileges | undefined {
    return this.#result.privileges.get(privilegesKey(keyOf(matched, recipient)));
  }
}

/** Reads the permissions of batches of changes from the database. */
export class PermissionReader {
  readonly #checks: Sql;
  /**
   * Whether RLS applied to a role and a table at the last query. Optimisation only: rows without RLS are not checked in the
   * first query. Does not change the result.
   */
  readonly #wasRestricted = new Map<string, boolean>();

  /** @param checks a pool of a single connection */
  constructor(checks: Sql) {
    this.#checks = checks;
  }

  /**
   * Reads who may see what of a batch of changes of one transaction.
   * @throws the connection error if Postgres cannot be reached
   */
  async read(xid: number, batch: readonly MatchedChange[]): Promise<Permissions> {
    const keys = new Map<string, PrivilegesKey>();
    const checks: RowCheck[] = [];
    const index: CheckIndex = new Map();
    for (const matched of batch) {
      const callers = new Map<string, number>();
      index.set(matched, callers);
      for (const recipient of matched.recipients) {
        const key = keyOf(matched, recipient);
        keys.set(privilegesKey(key), key);
        if (callers.has(recipient.callerKey) || !this.#needsCheck(matched, key)) continue;
        callers.set(recipient.callerKey, checks.length);
        checks.push({ identity: recipient.identity, change: matched.change, info: matched.info });
      }
    }
    const result = await queryVisibility(this.#checks, xid, { privileges: [...keys.values()], checks });
    for (const [key, { restricted }] of result.privileges) this.#wasRestricted.set(key, restricted);

    const permissions = new Permissions(result, index);
    // RLS was enabled since the last query: the second query includes the checks.
    if (batch.some((matched) => matched.recipients.some((recipient) => permissions.isUnchecked(matched, recipient))))
      return this.read(xid, batch);
    return permissions;
  }

  #needsCheck(matched: MatchedChange, key: PrivilegesKey): boolean {
    return canCheck(matched) && this.#wasRestricted.get(privilegesKey(key)) !== false;
  }
}

/** Tells the faults of the database from those of a statement: neither a task nor its service is to blame for them. */

/**
 * SQLSTATEs of a database that is out of reach, restarting, read-only, full or busy: connection exceptions (08), rollbacks of
 * concurrent transactions (40), insufficient resources (53), a lock that was not available (55P03), operator intervention (57P0x),
 * I/O errors (58), read-only transactions (25006); and socket errors.
 */
const CODES = /^(08...|25006|40...|53...|55P03|57P0.|58...|ECONN.*|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/;

/** Messages of pg and of the socket watchdog, which have no code. */
const MESSAGES = /connection (terminated|timeout)|trying to connect|did not respond/i;

/** Whether the database, and not the statement, is to blame for an error: the same statement may succeed later. */
export function isDatabaseFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return CODES.test(code) || MESSAGES.test(error.message);
}

/** The error of a database that could not be migrated. */

export type MigrateErrorCode =
  | 'database_unreachable'
  | 'not_supabase'
  | 'postgres_too_old'
  | 'migration_failed'
  | 'migration_blocked'
  | 'queue_schema_taken';

/** A database could not be migrated: why, and what to do. */
export class MigrateError extends Error {
  readonly code: MigrateErrorCode;
  readonly hint: string;

  constructor(code: MigrateErrorCode, message: string, hint: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'MigrateError';
    this.code = code;
    this.hint = hint;
  }
}

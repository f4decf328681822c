/** Typed errors for the SQLSTATEs that the state machine raises (class MB). */

/** Error code of each SQLSTATE. */
export const MASHUP_SQLSTATES = {
  MB001: 'illegal_transition',
  MB002: 'job_not_found',
  MB003: 'missing_input',
  MB004: 'queue_full',
  MB005: 'idempotency_conflict',
  MB006: 'invalid_request',
  MB008: 'upload_missing',
  MB009: 'not_a_draft',
  MB010: 'sign_in_required',
  MB011: 'row_too_large',
  MB012: 'rate_limited',
  MB013: 'worker_too_old',
  MB014: 'database_too_old',
  MB015: 'taken_down',
  MB016: 'sharing_disabled',
} as const;
/** SQLSTATEs and error codes of the state machine. */
export type MashupSqlState = keyof typeof MASHUP_SQLSTATES;
export type MashupErrorCode = (typeof MASHUP_SQLSTATES)[MashupSqlState];

/** An error of the state machine: the fault (`message`), what to do next (`hint`) and the error code (`code`). */
export class MashupError extends Error {
  override readonly name = 'MashupError';
  readonly code: MashupErrorCode;
  readonly hint: string;
  /** A more specific code (`too_few_songs`), or for queue_full and rate_limited the seconds to wait. Otherwise empty. */
  readonly detail: string;

  constructor(code: MashupErrorCode, message: string, hint: string, detail = '', options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
    this.detail = detail;
  }
}

/**
 * Converts an error of Postgres (`postgres`) or PostgREST (supabase-js) to a MashupError. Reads `code`, `message`, `hint`
 * and `detail` or `details`.
 * @returns undefined if the SQLSTATE is none of the state machine's
 */
export function toMashupError(error: unknown): MashupError | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  const { code } = error;
  if (typeof code !== 'string' || !(code in MASHUP_SQLSTATES)) return undefined;
  const text = (name: string): string => {
    const value: unknown = (error as Record<string, unknown>)[name];
    return typeof value === 'string' ? value : '';
  };
  return new MashupError(
    MASHUP_SQLSTATES[code as MashupSqlState],
    text('message'),
    text('hint'),
    text('detail') || text('details'),
    { cause: error },
  );
}

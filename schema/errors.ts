/** Errors that the database raises on purpose (SQLSTATE class MB), as typed errors. */

export const MASHUP_SQLSTATES = {
  MB001: 'illegal_move',
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
} as const;
export type MashupSqlState = keyof typeof MASHUP_SQLSTATES;
export type MashupErrorCode = (typeof MASHUP_SQLSTATES)[MashupSqlState];

/** An error of the state machine: what is wrong (`message`), what to do next (`hint`), and which it is (`code`). */
export class MashupError extends Error {
  override readonly name = 'MashupError';
  readonly code: MashupErrorCode;
  readonly hint: string;
  /** A finer code (`too_few_songs`), or the seconds to wait of queue_full and rate_limited; else empty. */
  readonly detail: string;

  constructor(code: MashupErrorCode, message: string, hint: string, detail = '', options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
    this.detail = detail;
  }
}

/**
 * The typed error for one that came from Postgres (`postgres`) or PostgREST (supabase-js); undefined for any other.
 * Reads `code`, `message`, `hint` and `detail` or `details`.
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

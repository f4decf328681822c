/** Errors as the page shows them: the message, and what the user can do. */
import { MashupClientError } from '@mashup-engine/client';

export interface Problem {
  message: string;
  hint: string;
  /** The user has to write other words; nothing failed. */
  isNotUnderstood?: boolean;
  /** A service failed, not a song: trying again may help. */
  isOfService?: boolean;
}

/** Errors of a text that the user has to write in other words. */
const OTHER_WORDS: readonly string[] = ['wish_not_understood', 'wish_changes_nothing'];

/** Whether a job that failed with this code would fail again as it is: only other words or edits help. */
export const needsOtherWords = (code: string | null): boolean =>
  code !== null && [...OTHER_WORDS, 'wish_not_possible', 'edit_not_possible'].includes(code);

/** Whether a job failed with this code for a service, and not for a song or its words. */
export const isServiceCode = (code: string): boolean => /^(service|storage|database|internal|task)_/.test(code);

/** Converts any error; a MashupClientError keeps its message and hint. */
export function toProblem(error: unknown): Problem {
  if (error instanceof MashupClientError) {
    const { message, hint, code, details } = error;
    if (!OTHER_WORDS.includes(code)) return { message, hint };
    return { message: `${message}. ${details ?? ''}`.trim(), hint, isNotUnderstood: true };
  }
  const message = error instanceof Error && error.message !== '' ? error.message : 'Something went wrong.';
  return { message, hint: 'Try again. If it happens again, reload the page.' };
}

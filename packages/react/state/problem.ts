/** Errors as the page shows them: the message, and what the user can do. */
import { MashupClientError } from '@mashup-engine/client';

export interface Problem {
  message: string;
  hint: string;
  /** The user has to write other words; nothing failed. */
  isNotUnderstood?: boolean;
}

/** Converts any error; a MashupClientError keeps its message and hint. */
export function toProblem(error: unknown): Problem {
  if (error instanceof MashupClientError) {
    const { message, hint, code, details } = error;
    if (code !== 'wish_not_understood') return { message, hint };
    return { message: `${message}. ${details ?? ''}`.trim(), hint, isNotUnderstood: true };
  }
  const message = error instanceof Error && error.message !== '' ? error.message : 'Something went wrong.';
  return { message, hint: 'Try again. If it happens again, reload the page.' };
}

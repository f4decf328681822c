/** What the page says when something is wrong: the fault and what to do next. */
import { MashupClientError } from '@mashup-engine/client';

export interface Problem {
  message: string;
  hint: string;
}

export function toProblem(error: unknown): Problem {
  if (error instanceof MashupClientError) return { message: error.message, hint: error.hint };
  const message = error instanceof Error && error.message !== '' ? error.message : 'Something went wrong.';
  return { message, hint: 'Try again; if it happens again, reload the page.' };
}

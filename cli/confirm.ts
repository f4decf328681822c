/** Asks a question in the terminal. */
import { createInterface } from 'node:readline/promises';
import { interrupted } from './errors.ts';

interface Terminal {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
}

const TERMINAL: Terminal = { input: process.stdin, output: process.stdout };

/**
 * Asks a yes/no question. Everything but `y` and `yes` is no, and so is the end of the input.
 * @throws CliError `interrupted` at Ctrl-C; the reason of `signal`
 */
export async function confirm(question: string, signal: AbortSignal, terminal: Terminal = TERMINAL): Promise<boolean> {
  return /^y(es)?$/i.test(await ask(`${question} (y/N) `, signal, terminal));
}

/**
 * Asks for a number to be typed. Everything else is no, and so is the end of the input.
 * @param what is done, as the beginning of a sentence
 * @throws CliError `interrupted` at Ctrl-C; the reason of `signal`
 */
export async function confirmNumber(
  what: string,
  expected: number,
  signal: AbortSignal,
  terminal: Terminal = TERMINAL,
): Promise<boolean> {
  return (await ask(`${what}? Type ${expected} to confirm: `, signal, terminal)) === String(expected);
}

async function ask(question: string, signal: AbortSignal, { input, output }: Terminal): Promise<string> {
  const lines = createInterface({ input, output });
  const { promise: ended, resolve, reject } = Promise.withResolvers<string>();
  // The terminal gives Ctrl-C to the prompt and not to the process.
  lines.once('SIGINT', () => reject(interrupted()));
  lines.once('close', () => resolve(''));
  let answer: string | undefined;
  try {
    answer = await Promise.race([ended, lines.question(question, { signal })]);
    return answer.trim();
  } finally {
    // Without an answer the cursor is still behind the question.
    if (!answer) output.write('\n');
    lines.close();
  }
}

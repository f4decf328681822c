/** Asks a question in the terminal. */
import { createInterface } from 'node:readline/promises';
import { interrupted } from './errors.ts';

/**
 * Asks a yes/no question. Everything but `y` and `yes` is no, and so is the end of the input.
 * @throws CliError `interrupted` at Ctrl-C; the reason of `signal`
 */
export async function confirm(
  question: string,
  signal: AbortSignal,
  { input, output }: { input: NodeJS.ReadableStream; output: NodeJS.WritableStream } = {
    input: process.stdin,
    output: process.stdout,
  },
): Promise<boolean> {
  const lines = createInterface({ input, output });
  const { promise: ended, resolve, reject } = Promise.withResolvers<string>();
  // The terminal gives Ctrl-C to the prompt and not to the process.
  lines.once('SIGINT', () => reject(interrupted()));
  lines.once('close', () => resolve(''));
  let answer: string | undefined;
  try {
    answer = await Promise.race([ended, lines.question(`${question} (y/N) `, { signal })]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    // Without an answer the cursor is still behind the question.
    if (!answer) output.write('\n');
    lines.close();
  }
}

/** Runs commands on one mashup of the signed-in user. */
import { untilInterrupted } from '../local/interrupt.ts';
import { connectToMashups, signIn } from './connect.ts';
import type { Connection, StackOptions } from './connect.ts';
import { interrupted } from './errors.ts';
import { findJob } from './find-job.ts';
import type { FoundJob } from './find-job.ts';
import { parseJobId } from './job-id.ts';

/**
 * Connects, signs in, finds the mashup of an id and calls `work`, whose signal aborts at Ctrl-C.
 * @param say receives the steps of the start of a local stack, if one is started
 * @throws the errors of `connectToMashups`, `findJob` and `work`; CliError `interrupted`
 */
export async function withMashup(
  options: StackOptions,
  id: string,
  say: (line: string) => void,
  work: (found: FoundJob & { connection: Connection }, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  // Before a stack is started.
  parseJobId(id);
  await untilInterrupted(async (signal) => {
    try {
      const connection = await connectToMashups(options, { log: say, signal });
      try {
        await signIn(connection.supabase);
        await work({ ...(await findJob(connection, id)), connection }, signal);
      } finally {
        await connection.close();
      }
    } catch (error) {
      throw signal.aborted ? interrupted() : error;
    }
  });
}

/** `mashup watch`: shows the progress of a mashup until its end. */
import type { Command } from 'commander';
import type { StackOptions } from '../connect.ts';
import { followToEnd } from '../job-outcome.ts';
import { ID_HELP } from '../job-id.ts';
import { chooseDisplay } from '../progress/choose-display.ts';
import { readPlanOutcome } from '../plan-outcome.ts';
import { printResult, printResultLine } from '../result.ts';
import { withMashup } from '../with-mashup.ts';

/** Adds the command to the program. */
export function addWatch(program: Command): void {
  program
    .command('watch')
    .description('show the progress of a mashup until it ends; Ctrl-C ends the watching, not the mashup')
    .argument('<id>', ID_HELP)
    .option('--json', 'one JSON line for each change, the result last')
    .action((id: string, _options: unknown, command: Command) =>
      watch(id, command.optsWithGlobals<StackOptions & { json?: boolean }>()),
    );
}

async function watch(id: string, options: StackOptions & { json?: boolean }): Promise<void> {
  const display = chooseDisplay(options.json === true);
  const say = (line: string): void => display.step(line);
  try {
    await withMashup(options, id, say, async ({ supabase, job }, signal) => {
      display.job(job);
      const ended = await followToEnd(
        supabase,
        job.id,
        { onChange: (change) => display.job(change), onConnection: (isLost) => display.connection(isLost) },
        signal,
      );
      const outcome = await readPlanOutcome(supabase, ended.id);
      display.end();
      if (options.json === true) printResultLine(ended, null, outcome);
      else printResult(ended, null, outcome);
    });
  } finally {
    display.end();
  }
}

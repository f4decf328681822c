/** `mashup feedback`: makes another version of a mashup, by what its user says in words. */
import type { Command } from 'commander';
import { iterateMashup } from '@mashup-engine/client';
import { IterationRequest } from '../../schema.ts';
import { connectToMashups, signIn } from '../connect.ts';
import type { StackOptions } from '../connect.ts';
import { addDeliveryOptions, deliver, withDelivery } from '../deliver.ts';
import type { DeliveryOptions } from '../deliver.ts';
import { CliError, EXIT_USAGE } from '../errors.ts';
import { assertOwn, findJob } from '../find-job.ts';
import { ID_HELP, parseJobId } from '../job-id.ts';

interface FeedbackOptions extends StackOptions, DeliveryOptions {}

/** Adds the command to the program. */
export function addFeedback(program: Command): void {
  const command = program
    .command('feedback')
    .description('make another version of a mashup, changed as you say')
    .argument('<id>', ID_HELP)
    .argument('<text>', 'what should change, in your own words: "more bass, and start with vocals only"');
  addDeliveryOptions(command).action((id: string, text: string, _options: unknown, called: Command) =>
    makeVersion(id, text, called.optsWithGlobals<FeedbackOptions>()),
  );
}

async function makeVersion(id: string, text: string, options: FeedbackOptions): Promise<void> {
  parseJobId(id);
  checkText(text);
  await withDelivery(options, async (delivery) => {
    const { display, signal, target } = delivery;
    const log = (line: string): void => display.step(line);
    display.step('Connecting');
    const connection = await connectToMashups(options, { log, signal });
    const { supabase } = connection;
    try {
      await signIn(supabase);
      const found = await findJob(connection, id);
      assertOwn(found);
      const { job } = found;
      display.step(`Reading what should change in ${job.title ?? 'the mashup'}`);
      return await deliver(
        supabase,
        () => iterateMashup(supabase, job.id, text, { format: target.format, signal }),
        delivery,
      );
    } finally {
      if (connection.isOwn) display.step('Stopping the local stack');
      await connection.close();
    }
  });
}

function checkText(text: string): void {
  if (IterationRequest.shape.userFeedback.safeParse(text).success) return;
  throw new CliError(
    'bad_feedback',
    text.trim() === '' ? 'The text is empty.' : 'The text is too long.',
    'Say in up to 1000 characters what should change, in quotes: mashup feedback last "more bass".',
    EXIT_USAGE,
  );
}

/** `mashup open`: opens the page of a mashup in the browser. */
import type { Command } from 'commander';
import { openInBrowser } from '../browser.ts';
import type { StackOptions } from '../connect.ts';
import { ID_HELP, parseJobId } from '../job-id.ts';
import { print, printJson } from '../output.ts';
import { assertStudioRuns, studioAddress } from '../studio-address.ts';
import { withMashup } from '../with-mashup.ts';

interface OpenOptions extends StackOptions {
  print?: boolean;
  json?: boolean;
}

/** Adds the command to the program. */
export function addOpen(program: Command): void {
  program
    .command('open')
    .description('open the studio in the browser, at the page of a mashup')
    .argument('[id]', `${ID_HELP}; without it: the first page`)
    .option('--print', 'only print the address')
    .option('--json', 'as JSON')
    .action((id: string | undefined, _options: unknown, command: Command) =>
      open(id, command.optsWithGlobals<OpenOptions>()),
    );
}

async function open(id: string | undefined, options: OpenOptions): Promise<void> {
  if (id !== undefined) parseJobId(id);
  // A stack that is started for the command would end with it.
  assertStudioRuns(options.dataDir);
  const studio = studioAddress(options.dataDir);
  if (id === undefined) return show(studio, options);
  await withMashup(
    options,
    id,
    () => {},
    ({ job }) => show(`${studio}/#/mashup/${job.id}`, options),
  );
}

/** Prints an address and opens it. */
async function show(address: string, { print: isPrinted, json: isJson = false }: OpenOptions): Promise<void> {
  const isOpened = isPrinted !== true && (await openInBrowser(address));
  if (isJson) return printJson({ type: 'open', url: address, opened: isOpened });
  print(address);
  if (isPrinted !== true && !isOpened) print('No browser can be opened here: open this address yourself.');
}

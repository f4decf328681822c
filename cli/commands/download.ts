/** `mashup download`: downloads the file of a finished mashup. */
import type { Command } from 'commander';
import { fileNameOf, signResultUrl } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import type { StackOptions } from '../connect.ts';
import { download } from '../download.ts';
import { CliError, EXIT_USAGE } from '../errors.ts';
import { ID_HELP } from '../job-id.ts';
import { checkTarget, freePath } from '../output-file.ts';
import type { Target } from '../output-file.ts';
import { print, printJson } from '../output.ts';
import { withMashup } from '../with-mashup.ts';

interface DownloadOptions extends StackOptions {
  out?: string;
  force?: boolean;
  json?: boolean;
}

/** Adds the command to the program. */
export function addDownload(program: Command): void {
  program
    .command('download')
    .description('download the file of a finished mashup')
    .argument('<id>', ID_HELP)
    .option('-o, --out <file>', 'output file (default: named after the title of the mashup)')
    .option('--force', 'overwrite the output file without asking')
    .option('--json', 'as JSON')
    .action((id: string, _options: unknown, command: Command) => run(id, command.optsWithGlobals<DownloadOptions>()));
}

async function run(id: string, options: DownloadOptions): Promise<void> {
  const isJson = options.json === true;
  const say = (line: string): void => void (isJson || print(line));
  const overwriting = { ...options };
  // Before a stack is started.
  const given = options.out === undefined ? undefined : await checkTarget(options.out, overwriting);
  await withMashup(options, id, say, async ({ supabase, job }, signal) => {
    const url = await signResultUrl(supabase, job);
    const target = given === undefined ? await defaultTarget(job) : assertFormat(given, job);
    const path = await download(url, target, signal);
    if (isJson) printJson({ type: 'download', job_id: job.id, out: path, format: job.result?.format ?? target.format });
    else print(path);
  });
}

async function defaultTarget({ title, result }: MashupJob): Promise<Target> {
  const name = `${fileNameOf(title ?? 'Mashup')}.${result?.format ?? 'wav'}`;
  return checkTarget(await freePath(process.cwd(), name));
}

/** The file is downloaded as it is. @throws CliError `bad_output` */
function assertFormat(target: Target, { result }: MashupJob): Target {
  if (result === null || result.format === target.format) return target;
  throw new CliError(
    'bad_output',
    `The file of this mashup is ${result.format.toUpperCase()}, not ${target.format.toUpperCase()}.`,
    `End the name with .${result.format}.`,
    EXIT_USAGE,
  );
}

/** `mashup start`: runs the local stack in the foreground. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { runStack } from '../../local/index.ts';
import type { StackOptions } from '../connect.ts';
import { fetchModels, separatorText } from '../separation-service.ts';
import { print, table } from '../output.ts';

/** Adds the command to the program. */
export function addStart(program: Command): void {
  program
    .command('start')
    .description('run the local stack in the foreground until Ctrl-C')
    .action(async (_options: unknown, command: Command) => {
      await start(command.optsWithGlobals<StackOptions>());
    });
}

async function start(options: StackOptions): Promise<void> {
  const startedAt = performance.now();
  await runStack({ ...options, log: (line) => print(pc.dim(`  ${line}`)) }, async ({ info }) => {
    const models = await fetchModels(info.services.separation);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    print();
    for (const line of firstLines(info.studioUrl, seconds)) print(`  ${line}`.trimEnd());
    print();
    const rows: [string, string][] = [
      ...(info.studioUrl === null
        ? []
        : ([['Operator page', `${info.studioUrl}/#/operator`]] satisfies [string, string][])),
      ['  signs in as', `${info.operator.email} with ${info.operator.password}`],
      ['API', info.apiUrl],
      ['Database', info.dbUrl],
      ['Publishable key', info.publishableKey],
      ['Secret key', info.secretKey],
      ...(models === undefined ? [] : ([['Separation', separatorText(models)]] satisfies [string, string][])),
      ['Data', info.dataDir],
    ];
    for (const line of table(rows.map(([name, value]) => [pc.dim(`  ${name}`), value]))) print(line);
    print();
    print(pc.dim('  Ctrl-C stops it.'));
  });
}

/** What is read first: which address to open. */
function firstLines(studioUrl: string | null, seconds: string): string[] {
  const ready = `Ready in ${seconds} s.`;
  if (studioUrl === null)
    return [
      `${ready} The studio is not built: run \`npm run studio:build\`, or use \`mashup make\` and \`mashup jobs\`.`,
    ];
  return [`${ready} Open this address in your browser:`, '', `  ${pc.bold(pc.cyan(studioUrl))}`];
}

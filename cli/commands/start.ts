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
    print();
    const rows: [string, string][] = [
      ['API', info.apiUrl],
      ['Studio', info.studioUrl ?? 'not built'],
      ['Database', info.dbUrl],
      ['Publishable key', info.publishableKey],
      ['Secret key', info.secretKey],
      ['Operator page', info.studioUrl === null ? 'not built' : `${info.studioUrl}/#/operator`],
      ['  signs in as', `${info.operator.email} with ${info.operator.password}`],
      ...(models === undefined ? [] : ([['Separation', separatorText(models)]] satisfies [string, string][])),
      ['Data', info.dataDir],
    ];
    for (const line of table(rows.map(([name, value]) => [pc.dim(`  ${name}`), value]))) print(line);
    print();
    print(`  Ready in ${((performance.now() - startedAt) / 1000).toFixed(1)} s. Ctrl-C stops it.`);
  });
}

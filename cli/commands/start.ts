/** `mashup start`: the local stack in the foreground. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { startStack } from '../../local/index.ts';
import type { StackOptions } from '../connect.ts';
import { interrupted } from '../errors.ts';
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
  const abort = new AbortController();
  const stopped = new Promise<void>((resolve) => abort.signal.addEventListener('abort', () => resolve()));
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
    if (signals > 2) process.exit(interrupted().exitCode);
    abort.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const startedAt = performance.now();
  const stack = await startStack({
    ...options,
    signal: abort.signal,
    log: (line) => print(pc.dim(`  ${line}`)),
  }).catch((error: unknown) => {
    if (abort.signal.aborted) return undefined;
    throw error;
  });
  if (stack === undefined) return;
  const { info } = stack;
  print();
  const rows: [string, string][] = [
    ['API', info.apiUrl],
    ['Studio', info.studioUrl ?? 'not built'],
    ['Database', info.dbUrl],
    ['Anon key', info.anonKey],
    ['Publishable key', info.publishableKey],
    ['Service role key', info.serviceRoleKey],
    ['Data', info.dataDir],
  ];
  for (const line of table(rows.map(([name, value]) => [pc.dim(`  ${name}`), value]))) print(line);
  print();
  print(`  Ready in ${((performance.now() - startedAt) / 1000).toFixed(1)} s. Ctrl-C stops it.`);
  await stopped;
  print(pc.dim('  Stopping'));
  await stack.stop();
}

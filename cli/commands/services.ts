/** `mashup services`: runs the built-in audio services, or checks them. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { dataPaths } from '../../local/layout.ts';
import { localUrl } from '../../local/process-part.ts';
import type { StackOptions } from '../connect.ts';
import { setting } from '../environment.ts';
import { CliError } from '../errors.ts';
import { isServiceUp } from '../doctor/services.ts';
import { print, printJson, table } from '../output.ts';
import { chooseServices } from '../services/choose.ts';
import type { ChosenService } from '../services/choose.ts';
import { untilInterrupted } from '../../local/interrupt.ts';
import { startServices } from '../services/run.ts';

const DEFAULT_HOST = '127.0.0.1';

interface ServicesOptions extends StackOptions {
  port: string[];
  host?: string;
  health?: boolean;
  json?: boolean;
}

/** Adds a value of an option that may be repeated. */
export function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}

/** Adds the command to the program. */
export function addServices(program: Command): void {
  program
    .command('services')
    .description('run the built-in audio services until Ctrl-C: all, or those that are named')
    .argument('[names...]', 'analysis, processing, scoring, orchestrator, separation')
    .option('--port <name=port>', 'port of a service (default: 8000 to 8004); may be repeated', collect, [])
    .option('--host <address>', `address to listen on (default: HOST, or ${DEFAULT_HOST})`)
    .option('--health', 'check whether the services respond instead; exit code 1 if one does not')
    .option('--json', 'as JSON')
    .action(async (names: string[], _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<ServicesOptions>();
      const services = chooseServices(names, options.port);
      const host = options.host ?? setting('HOST') ?? DEFAULT_HOST;
      await (options.health === true ? checkHealth(services, host, options) : run(services, host, options));
    });
}

async function run(services: ChosenService[], host: string, { json, dataDir }: ServicesOptions): Promise<void> {
  await untilInterrupted(async (signal, interrupted) => {
    const running = await startServices(services, {
      host,
      modelsDir: dataPaths(dataDir).models,
      signal,
      write: (line) => process.stderr.write(`${line}\n`),
    }).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    if (running === undefined) return;
    if (json === true) printJson({ type: 'services', ready: true, urls: running.urls });
    else {
      for (const line of table(Object.entries(running.urls).map(([name, url]) => [pc.dim(`  ${name}`), url])))
        print(line);
      print(`  Ready. Ctrl-C stops ${services.length === 1 ? 'it' : 'them'}.`);
    }
    await interrupted;
    await running.stop();
  });
}

async function checkHealth(services: ChosenService[], host: string, { json }: ServicesOptions): Promise<void> {
  const found = await Promise.all(
    services.map(async ({ service, port }) => {
      const url = localUrl(host, port);
      return { service, url, ok: await isServiceUp(url) };
    }),
  );
  if (json === true) printJson({ type: 'health', services: found });
  else
    for (const line of table(found.map(({ service, url, ok }) => [ok ? pc.green('ok') : pc.red('!!'), service, url])))
      print(line);
  const down = found.filter(({ ok }) => !ok).map(({ service }) => service);
  if (down.length > 0) {
    throw new CliError(
      'service_down',
      `${down.join(', ')} ${down.length === 1 ? 'does' : 'do'} not respond.`,
      `Start ${down.length === 1 ? 'it' : 'them'}: \`mashup services ${down.join(' ')}\`.`,
    );
  }
}

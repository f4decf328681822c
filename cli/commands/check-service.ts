/** `mashup check-service`: checks a running audio service against the contract. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { SERVICES, serviceToken } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import { checkService } from '../../service-check/check.ts';
import type { RuleResult } from '../../service-check/check.ts';
import { CliError, EXIT_FAILURE, EXIT_USAGE } from '../errors.ts';
import { choiceArgument } from '../options.ts';
import { print, printJson, table } from '../output.ts';

interface CheckServiceOptions {
  filesHost?: string;
  filesUrl?: string;
  json?: boolean;
}

/** Adds the command to the program. */
export function addCheckService(program: Command): void {
  program
    .command('check-service')
    .description('check a running audio service against the contract, with a synthetic song')
    .addArgument(choiceArgument('<service>', 'what the service is', SERVICES))
    .argument('<url>', 'base URL of the service; it may contain a path')
    .option('--files-host <address>', 'address on which the test song is served (default: 127.0.0.1)')
    .option('--files-url <url>', 'URL under which the service reaches the test song')
    .option('--json', 'as JSON')
    .action(async (service: ServiceName, url: string, _options: unknown, command: Command) => {
      if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
        throw new CliError(
          'bad_url',
          `"${url}" is not an http or https URL.`,
          'Give it like http://127.0.0.1:8000.',
          EXIT_USAGE,
        );
      }
      const { filesHost, filesUrl, json } = command.optsWithGlobals<CheckServiceOptions>();
      const results = await checkService(service, url, {
        token: serviceToken(service, process.env),
        filesHost,
        filesUrl,
      });
      const faults = results.filter(({ outcome }) => outcome === 'fault').length;
      if (json === true) printJson({ service, url, passed: faults === 0, results });
      else printResults(service, results, faults);
      if (faults > 0) process.exitCode = EXIT_FAILURE;
    });
}

const MARKS: Record<RuleResult['outcome'], string> = {
  holds: pc.green('ok'),
  fault: pc.red('!!'),
  advice: pc.yellow('! '),
  not_checked: pc.dim('- '),
};

function printResults(service: ServiceName, results: RuleResult[], faults: number): void {
  const rows = results.map(({ rule, text, outcome, detail }) => [
    MARKS[outcome],
    rule,
    detail === undefined ? pc.dim(text) : `${text} But ${detail}.`,
  ]);
  for (const line of table(rows)) print(line);
  print(
    faults === 0
      ? pc.green(`The ${service} service keeps the contract.`)
      : pc.red(`${faults} of ${results.length} rules do not hold.`),
  );
}

/** `mashup doctor`: checks every part of the engine. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { readStack } from '../../local/state.ts';
import { SERVICE_DEFAULTS, SERVICES } from '../../schema.ts';
import type { StackOptions } from '../connect.ts';
import { checkApi } from '../doctor/api.ts';
import { failed, runCheck } from '../doctor/finding.ts';
import type { Finding } from '../doctor/finding.ts';
import { checkDatabase } from '../doctor/database.ts';
import { checkService } from '../doctor/services.ts';
import { CliError } from '../errors.ts';
import { print, printJson, table } from '../output.ts';

const NOT_RUNNING_HINT = 'Start the stack with `mashup start`, or set SUPABASE_URL, its key and DATABASE_URL.';

/** Adds the command to the program. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check database, queue, API and services')
    .option('--json', 'as JSON')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<StackOptions & { json?: boolean }>();
      const findings = await checkAll(options);
      const problems = findings.filter(({ ok }) => !ok);
      if (options.json === true) printJson({ ok: problems.length === 0, findings });
      else for (const line of lines(findings)) print(line);
      if (problems.length > 0) {
        throw new CliError(
          'checks_failed',
          `${problems.length} of ${findings.length} checks failed: ${problems.map(({ name }) => name).join(', ')}.`,
          problems[0]?.hint ?? '',
        );
      }
    });
}

async function checkAll(options: StackOptions): Promise<Finding[]> {
  const info = readStack(options.dataDir);
  const env = options.dataDir === undefined ? process.env : {};
  const dbUrl = env.DATABASE_URL || info?.dbUrl;
  const apiUrl = env.SUPABASE_URL || info?.apiUrl;
  const key =
    (env.SUPABASE_URL ? env.SUPABASE_PUBLISHABLE_KEY || env.SUPABASE_ANON_KEY : undefined) ??
    (env.SUPABASE_URL ? undefined : info?.anonKey);
  const groups = [
    dbUrl === undefined
      ? [failed('database', 'not found', NOT_RUNNING_HINT)]
      : runCheck('database', 'Check that it runs and that DATABASE_URL is right.', () => checkDatabase(dbUrl)),
    apiUrl === undefined || key === undefined ? [failed('api', 'not found', NOT_RUNNING_HINT)] : checkApi(apiUrl, key),
    ...SERVICES.map((name) => {
      const { urlVariable, port } = SERVICE_DEFAULTS[name];
      const url = process.env[urlVariable] || info?.services[name] || `http://127.0.0.1:${port}`;
      return runCheck(name, `Check ${urlVariable}.`, () => checkService(name, url));
    }),
  ];
  return (await Promise.all(groups)).flat();
}

function lines(findings: Finding[]): string[] {
  return table(
    findings.map(({ name, ok, message, hint }) => [
      ok ? pc.green('ok') : pc.red('!!'),
      name,
      ok ? pc.dim(message) : hint === undefined ? message : `${message}. ${hint}`,
    ]),
  );
}

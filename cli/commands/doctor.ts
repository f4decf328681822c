/** `mashup doctor`: examines every part and says what is wrong and what to do. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { readStack } from '../../local/state.ts';
import { SERVICE_DEFAULTS, SERVICES } from '../../schema.ts';
import type { StackOptions } from '../connect.ts';
import { examineApi } from '../doctor/api.ts';
import { examine, wrong } from '../doctor/check.ts';
import type { Finding } from '../doctor/check.ts';
import { examineDatabase } from '../doctor/database.ts';
import { examineService } from '../doctor/services.ts';
import { CliError } from '../errors.ts';
import { print, printJson, table } from '../output.ts';

const NOTHING_RUNS = 'Start the stack with `mashup start`, or set SUPABASE_URL, its key and DATABASE_URL.';

/** Adds the command to the program. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('examine database, queue, API and services, and say what to do')
    .option('--json', 'as JSON')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<StackOptions & { json?: boolean }>();
      const findings = await examineAll(options);
      const bad = findings.filter(({ ok }) => !ok);
      if (options.json === true) printJson({ ok: bad.length === 0, findings });
      else for (const line of lines(findings)) print(line);
      if (bad.length > 0) {
        throw new CliError(
          'unwell',
          `${bad.length} of ${findings.length} parts are not well: ${bad.map(({ name }) => name).join(', ')}.`,
          bad[0]?.hint ?? '',
        );
      }
    });
}

async function examineAll(options: StackOptions): Promise<Finding[]> {
  const info = readStack(options.dataDir);
  const env = options.dataDir === undefined ? process.env : {};
  const dbUrl = env.DATABASE_URL || info?.dbUrl;
  const apiUrl = env.SUPABASE_URL || info?.apiUrl;
  const key =
    (env.SUPABASE_URL ? env.SUPABASE_PUBLISHABLE_KEY || env.SUPABASE_ANON_KEY : undefined) ??
    (env.SUPABASE_URL ? undefined : info?.anonKey);
  const groups = [
    dbUrl === undefined
      ? [wrong('database', 'there is none to examine', NOTHING_RUNS)]
      : examine('database', 'Check that it runs and that DATABASE_URL is right.', () => examineDatabase(dbUrl)),
    apiUrl === undefined || key === undefined
      ? [wrong('api', 'there is none to examine', NOTHING_RUNS)]
      : examineApi(apiUrl, key),
    ...SERVICES.map((name) => {
      const { urlVariable, port } = SERVICE_DEFAULTS[name];
      const url = process.env[urlVariable] || info?.services[name] || `http://127.0.0.1:${port}`;
      return examine(name, `Check ${urlVariable}.`, () => examineService(name, url));
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

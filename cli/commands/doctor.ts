/** `mashup doctor`: checks every part of the engine, and compares rows with files. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { explainConnection } from '../../connection/explain.ts';
import { dataPaths } from '../../local/layout.ts';
import { readStack } from '../../local/state.ts';
import { SERVICE_DEFAULTS, SERVICES } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import type { StackOptions } from '../connect.ts';
import { checkApi } from '../doctor/api.ts';
import { failed, runCheck } from '../doctor/finding.ts';
import type { Finding } from '../doctor/finding.ts';
import { checkDatabase } from '../doctor/database.ts';
import { checkModels, checkSeparator } from '../doctor/models.ts';
import { checkService } from '../doctor/services.ts';
import { checkStorageLimits } from '../doctor/storage-limits.ts';
import { repairFiles, REPAIR_TEXTS } from '../doctor/repair.ts';
import type { StorageAccess } from '../doctor/repair.ts';
import { CliError, EXIT_USAGE } from '../errors.ts';
import { withDatabase } from '../operator.ts';
import { print, printJson, table } from '../output.ts';

const NOT_RUNNING_HINT = 'Start the stack with `mashup start`, or set SUPABASE_URL, its key and DATABASE_URL.';

interface DoctorOptions extends StackOptions {
  json?: boolean;
  deep?: boolean;
  repair?: boolean;
  apply?: boolean;
}

/** Adds the command to the program. */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check database, queue, API and services')
    .option('--json', 'as JSON')
    .option('--deep', 'read the files of separation models as well, and compare their hashes')
    .option('--repair', 'compare rows with files instead, and show what does not agree')
    .option('--apply', 'with --repair: mend it')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<DoctorOptions>();
      if (options.repair === true) return repair(options);
      if (options.apply === true) throw new CliError('bad_option', '--apply needs --repair.', 'Give both.', EXIT_USAGE);
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

/** Compares rows with files, and prints the counts. */
async function repair(options: StackOptions & { json?: boolean; apply?: boolean }): Promise<void> {
  const isApplied = options.apply === true;
  const access = storageAccess(options);
  const found = await withDatabase(options, (sql) => repairFiles(sql, access, isApplied));
  if (options.json === true) return printJson({ applied: isApplied, files_read: access !== undefined, found });
  for (const line of table(found.map(({ what, found: count }) => [String(count), REPAIR_TEXTS[what]]))) print(line);
  if (access === undefined)
    print('The files were not read: set SUPABASE_URL and SUPABASE_SECRET_KEY to find rows of Storage without a file.');
  if (!isApplied && found.some(({ found: count }) => count > 0))
    print('Nothing was changed. To mend it: mashup doctor --repair --apply');
}

/** Returns the service role's access to Storage: of the environment, otherwise of the running local stack. */
function storageAccess(options: StackOptions): StorageAccess | undefined {
  const env = options.dataDir === undefined ? process.env : {};
  if (env.SUPABASE_URL) {
    const key = env.SUPABASE_SECRET_KEY || env.SUPABASE_SERVICE_ROLE_KEY;
    return key ? { url: env.SUPABASE_URL, serviceRoleKey: key } : undefined;
  }
  const info = readStack(options.dataDir);
  return info && { url: info.apiUrl, serviceRoleKey: info.secretKey };
}

async function checkAll(options: DoctorOptions): Promise<Finding[]> {
  const info = readStack(options.dataDir);
  const env = options.dataDir === undefined ? process.env : {};
  const dbUrl = env.DATABASE_URL || info?.dbUrl;
  const apiUrl = env.SUPABASE_URL || info?.apiUrl;
  const key =
    (env.SUPABASE_URL ? env.SUPABASE_PUBLISHABLE_KEY || env.SUPABASE_ANON_KEY : undefined) ??
    (env.SUPABASE_URL ? undefined : info?.publishableKey);
  const urlOf = (name: ServiceName): string =>
    process.env[SERVICE_DEFAULTS[name].urlVariable] ||
    info?.services[name] ||
    `http://127.0.0.1:${SERVICE_DEFAULTS[name].port}`;
  const groups = [
    dbUrl === undefined
      ? [failed('database', 'not found', NOT_RUNNING_HINT)]
      : runCheck(
          'database',
          (error) => databaseHint(error, dbUrl),
          () => checkDatabase(dbUrl),
        ),
    dbUrl === undefined || apiUrl === undefined
      ? []
      : runCheck(
          'storage limits',
          (error) => databaseHint(error, dbUrl),
          () => checkStorageLimits(dbUrl, apiUrl),
        ),
    apiUrl === undefined || key === undefined ? [failed('api', 'not found', NOT_RUNNING_HINT)] : checkApi(apiUrl, key),
    ...SERVICES.map((name) =>
      runCheck(name, `Check ${SERVICE_DEFAULTS[name].urlVariable}.`, () => checkService(name, urlOf(name))),
    ),
    checkSeparator(urlOf('separation')),
    runCheck('separation model', 'Correct the setting.', () =>
      checkModels(dataPaths(options.dataDir).models, process.env, { deep: options.deep === true }),
    ),
  ];
  return (await Promise.all(groups)).flat();
}

function databaseHint(error: unknown, dbUrl: string): string {
  return explainConnection(error, dbUrl).hint || 'Check that it runs and that DATABASE_URL is right.';
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

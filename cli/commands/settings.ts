/** `mashup settings`: lists, explains and sets the limits, times and budgets of the engine. */
import type { Command } from 'commander';
import type postgres from 'postgres';
import type { StackOptions } from '../connect.ts';
import { CliError, EXIT_USAGE } from '../errors.ts';
import { withDatabase } from '../operator.ts';
import { print, printTable } from '../output.ts';

interface Setting {
  name: string;
  value: string;
  description: string;
  allowed: string;
}

/** Adds the command to the program. */
export function addSettings(program: Command): void {
  const settings = program.command('settings').description('list, explain and set limits, times and budgets');
  settings
    .command('list', { isDefault: true })
    .description('list the settings with their values')
    .action((_options: unknown, command: Command) => withDatabase(command.optsWithGlobals<StackOptions>(), list));
  settings
    .command('get')
    .description('explain a setting: its value, its meaning and the values that it may have')
    .argument('<name>', 'name of the setting')
    .action((name: string, _options: unknown, command: Command) =>
      withDatabase(command.optsWithGlobals<StackOptions>(), async (sql) => explain(await find(sql, name))),
    );
  settings
    .command('set')
    .description('set a setting; it applies to the next transaction')
    .argument('<name>', 'name of the setting')
    .argument('<value>', 'a number, null, or an object in quotes: \'{"separation": 4}\'')
    .action((name: string, value: string, _options: unknown, command: Command) =>
      withDatabase(command.optsWithGlobals<StackOptions>(), (sql) => set(sql, name, value)),
    );
}

async function list(sql: postgres.Sql): Promise<void> {
  const rows = await readSettings(sql, null);
  printTable(
    ['setting', 'value', 'allowed'],
    rows.map(({ name, value, allowed }) => [name, value, allowed]),
  );
  print('`mashup settings get NAME` explains one.');
}

function explain({ name, value, description, allowed }: Setting): void {
  print(`${name} = ${value}`);
  print(description);
  print(`Allowed: ${allowed}.`);
}

/** Sets a value. The database checks it. */
async function set(sql: postgres.Sql, name: string, text: string): Promise<void> {
  const before = await find(sql, name);
  if (name === 'queue_schema') {
    throw new CliError(
      'bad_setting',
      'The schema of the queue is changed by a migration.',
      `Run \`mashup migrate --queue-schema ${text}\`.`,
      EXIT_USAGE,
    );
  }
  await sql`update mashup.settings set value = ${toJson(text)}::text::jsonb where name = ${name}`;
  const after = await find(sql, name);
  print(`${name} = ${after.value} (was ${before.value})`);
}

/** Returns a value as JSON: a text that is not JSON is a string, which the database refuses or takes. */
function toJson(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}

/** @throws CliError `unknown_setting`, with the names that are alike */
async function find(sql: postgres.Sql, name: string): Promise<Setting> {
  const [setting] = await readSettings(sql, name);
  if (setting !== undefined) return setting;
  const [word = name] = name.split('_');
  const alike = await sql<{ name: string }[]>`
    select name from mashup.settings where position(${word} in name) > 0 order by name limit 5`;
  const hint =
    alike.length > 0 ? `Did you mean ${alike.map((row) => row.name).join(', ')}?` : '`mashup settings` lists them.';
  throw new CliError('unknown_setting', `There is no setting "${name}".`, hint, EXIT_USAGE);
}

function readSettings(sql: postgres.Sql, name: string | null): Promise<Setting[]> {
  return sql<Setting[]>`
    select s.name, s.value::text as value, s.description, mashup.allowed_values(s) as allowed from mashup.settings s
    where ${name}::text is null or s.name = ${name}::text order by s.name`;
}

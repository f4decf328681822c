/** `mashup operators`: who may use the operator page. */
import type { Command } from 'commander';
import { OPERATOR_ROLE } from '../../schema/constants.ts';
import { toMashupError } from '../../schema/errors.ts';
import type { StackOptions } from '../connect.ts';
import { CliError } from '../errors.ts';
import { withDatabase } from '../operator.ts';
import { print, printJson } from '../output.ts';

/** Adds the command to the program. */
export function addOperators(program: Command): void {
  const operators = program.command('operators').description('who may use the operator page');
  operators
    .command('list', { isDefault: true })
    .description('list the accounts with operator rights')
    .option('--json', 'as JSON')
    .action((_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<StackOptions & { json?: boolean }>();
      return withDatabase(options, async (sql) => {
        const rows = await sql<{ id: string; email: string | null }[]>`
          select id, email from auth.users where raw_app_meta_data ->> 'mashup_role' = ${OPERATOR_ROLE} order by email`;
        if (options.json === true) return printJson([...rows]);
        for (const { email, id } of rows) print(email ?? id);
        if (rows.length === 0) print('There are none. Add one with `mashup operators add E-MAIL`.');
      });
    });
  operators
    .command('add')
    .description('give operator rights to an account; it signs in again to use them')
    .argument('<email>', 'e-mail of the account')
    .action((email: string, _options: unknown, command: Command) => change(command, email, true));
  operators
    .command('remove')
    .description('take the operator rights of an account, at once')
    .argument('<email>', 'e-mail of the account')
    .action((email: string, _options: unknown, command: Command) => change(command, email, false));
}

function change(command: Command, email: string, isOperator: boolean): Promise<void> {
  return withDatabase(command.optsWithGlobals<StackOptions>(), async (sql) => {
    try {
      await sql`select mashup.grant_operator(${email}, ${isOperator})`;
    } catch (error) {
      const { code, hint, message } = toMashupError(error) ?? {};
      if (code !== 'job_not_found' || message === undefined) throw error;
      throw new CliError('account_not_found', message, hint ?? '', undefined, { cause: error });
    }
    print(isOperator ? `${email} is an operator from the next sign-in on.` : `${email} is no operator any more.`);
  });
}

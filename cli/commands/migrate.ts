/** `mashup migrate`: applies the migrations of Graphile Worker and of the engine to a Supabase database. */
import type { Command } from 'commander';
import { migrate } from '../../migrate/migrate.ts';
import { describePlan, planMigration } from '../../migrate/plan.ts';
import type { StackOptions } from '../connect.ts';
import { databaseUrl } from '../operator.ts';
import { print } from '../output.ts';

/** Adds the command to the program. */
export function addMigrate(program: Command): void {
  program
    .command('migrate')
    .description('migrate the database of DATABASE_URL, or of the running local stack')
    .option('--queue-schema <name>', 'schema of the queue; changes the setting queue_schema')
    .option('--plan', 'print what would be done, and change nothing')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<StackOptions & { queueSchema?: string; plan?: boolean }>();
      const target = {
        databaseUrl: databaseUrl(options),
        ...(options.queueSchema === undefined ? {} : { queueSchema: options.queueSchema }),
      };
      if (options.plan === true) {
        const lines = describePlan(await planMigration(target));
        for (const line of lines.length === 0 ? ['Up to date.'] : lines) print(line);
        return;
      }
      const { applied } = await migrate({ ...target, log: (line) => print(line) });
      print(applied.length === 0 ? 'Up to date.' : `${applied.length} migrations applied.`);
    });
}

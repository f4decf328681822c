/** `mashup pause` and `mashup resume`: running tasks finish, no new tasks start. */
import type { Command } from 'commander';
import type { StackOptions } from '../connect.ts';
import { withDatabase } from '../operator.ts';
import { choiceArgument, numeric } from '../options.ts';
import { print } from '../output.ts';

const SCOPES = ['system', 'user', 'job', 'kind', 'service'];

/** Adds the commands to the program. */
export function addPause(program: Command): void {
  program
    .command('pause')
    .description('start no new tasks; running tasks finish')
    .addArgument(choiceArgument('[scope]', 'what is paused; kind: a kind of tasks', SCOPES).default('system'))
    .argument('[key]', 'which user, job, kind or service', '')
    .option('--reason <text>', 'reason of the pause', 'Paused by the operator')
    .addOption(numeric('--minutes <n>', 'resume automatically after this many minutes', { above: 0 }))
    .action((scope: string, key: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<StackOptions & { reason: string; minutes?: number }>();
      return withDatabase(options, async (sql) => {
        // The database computes the time, by its own clock, and returns it as a number: no format depends on its settings.
        const [pause] = await sql<{ until_epoch_sec: number | null }[]>`
          select extract(epoch from until)::float8 as until_epoch_sec from mashup.pause(${scope}, ${key}, ${options.reason},
            mashup.now() + make_interval(secs => ${options.minutes === undefined ? null : options.minutes * 60}::float8))`;
        const end = pause?.until_epoch_sec
          ? `until ${new Date(pause.until_epoch_sec * 1000).toISOString()}`
          : 'until `mashup resume`';
        print(`${name(scope, key)} is paused ${end}. Running tasks finish.`);
      });
    });
  program
    .command('resume')
    .description('end a pause')
    .addArgument(choiceArgument('[scope]', 'what is paused; kind: a kind of tasks', SCOPES).default('system'))
    .argument('[key]', 'which user, job, kind or service', '')
    .action((scope: string, key: string, _options: unknown, command: Command) =>
      withDatabase(command.optsWithGlobals<StackOptions>(), async (sql) => {
        const [answer] = await sql<{ ended: boolean }[]>`select mashup.resume(${scope}, ${key}) as ended`;
        print(answer?.ended ? `${name(scope, key)} is resumed.` : `${name(scope, key)} was not paused.`);
      }),
    );
}

function name(scope: string, key: string): string {
  return scope === 'system' ? 'The system' : `The ${scope} ${key}`;
}

/** The commands, each loaded only when it is asked for: half of a short command's time would go into reading the others. */
import type { Command } from 'commander';

type Add = (program: Command) => void;

const verbs = async (): Promise<Add> => (await import('./commands/verbs.ts')).addVerbs;
const pause = async (): Promise<Add> => (await import('./commands/pause.ts')).addPause;

const COMMANDS: Record<string, () => Promise<Add>> = {
  make: async () => (await import('./commands/make.ts')).addMake,
  start: async () => (await import('./commands/start.ts')).addStart,
  status: async () => (await import('./commands/status.ts')).addStatus,
  jobs: async () => (await import('./commands/jobs.ts')).addJobs,
  show: async () => (await import('./commands/show.ts')).addShow,
  replay: verbs,
  retry: verbs,
  'start-draft': verbs,
  cancel: verbs,
  pause,
  resume: pause,
  bulk: async () => (await import('./commands/bulk.ts')).addBulk,
  check: async () => (await import('./commands/check.ts')).addCheck,
  worker: async () => (await import('./commands/worker.ts')).addWorker,
  migrate: async () => (await import('./commands/migrate.ts')).addMigrate,
  doctor: async () => (await import('./commands/doctor.ts')).addDoctor,
};

/** Adds the commands whose names occur in the arguments; all of them where none does, or where help is asked for. */
export async function addCommands(program: Command, argv: readonly string[]): Promise<void> {
  const named = Object.keys(COMMANDS).filter((name) => argv.includes(name));
  const wanted = named.length === 0 || argv.includes('help') ? Object.keys(COMMANDS) : named;
  const loaders = new Set(wanted.flatMap((name) => COMMANDS[name] ?? []));
  for (const load of loaders) (await load())(program);
}

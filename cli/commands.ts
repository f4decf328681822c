/** The commands. Each is loaded on demand: loading all of them would take half the time of a short command. */
import type { Command } from 'commander';

type Add = (program: Command) => void;

const jobActions = async (): Promise<Add> => (await import('./commands/job-actions.ts')).addJobActions;
const pause = async (): Promise<Add> => (await import('./commands/pause.ts')).addPause;

const COMMANDS: Record<string, () => Promise<Add>> = {
  make: async () => (await import('./commands/make.ts')).addMake,
  analyze: async () => (await import('./commands/analyze.ts')).addAnalyze,
  start: async () => (await import('./commands/start.ts')).addStart,
  status: async () => (await import('./commands/status.ts')).addStatus,
  jobs: async () => (await import('./commands/jobs.ts')).addJobs,
  stems: async () => (await import('./commands/stems.ts')).addStems,
  show: async () => (await import('./commands/show.ts')).addShow,
  replay: jobActions,
  retry: jobActions,
  'start-draft': jobActions,
  cancel: jobActions,
  'take-down': async () => (await import('./commands/take-down.ts')).addTakeDown,
  pause,
  resume: pause,
  bulk: async () => (await import('./commands/bulk.ts')).addBulk,
  check: async () => (await import('./commands/check.ts')).addCheck,
  services: async () => (await import('./commands/services.ts')).addServices,
  'check-service': async () => (await import('./commands/check-service.ts')).addCheckService,
  models: async () => (await import('./commands/models.ts')).addModels,
  worker: async () => (await import('./commands/worker.ts')).addWorker,
  migrate: async () => (await import('./commands/migrate.ts')).addMigrate,
  settings: async () => (await import('./commands/settings.ts')).addSettings,
  operators: async () => (await import('./commands/operators.ts')).addOperators,
  doctor: async () => (await import('./commands/doctor.ts')).addDoctor,
};

/** Adds the commands whose names occur in the arguments. Adds all commands if none does, or if help is requested. */
export async function addCommands(program: Command, argv: readonly string[]): Promise<void> {
  const named = Object.keys(COMMANDS).filter((name) => argv.includes(name));
  const wanted = named.length === 0 || argv.includes('help') ? Object.keys(COMMANDS) : named;
  const loaders = new Set(wanted.flatMap((name) => COMMANDS[name] ?? []));
  for (const load of loaders) (await load())(program);
}

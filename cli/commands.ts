/** The commands. Each is loaded on demand: loading all of them would take half the time of a short command. */
import type { Command } from 'commander';

type Add = (program: Command) => void;

const jobActions = async (): Promise<Add> => (await import('./commands/job-actions.ts')).addJobActions;
const pause = async (): Promise<Add> => (await import('./commands/pause.ts')).addPause;

/** Commands under the heading that the help of the program gives them. */
const GROUPS: Record<string, Record<string, () => Promise<Add>>> = {
  'Make and listen:': {
    make: async () => (await import('./commands/make.ts')).addMake,
    feedback: async () => (await import('./commands/feedback.ts')).addFeedback,
    watch: async () => (await import('./commands/watch.ts')).addWatch,
    download: async () => (await import('./commands/download.ts')).addDownload,
    stems: async () => (await import('./commands/stems.ts')).addStems,
    open: async () => (await import('./commands/open.ts')).addOpen,
    share: async () => (await import('./commands/share.ts')).addShare,
    analyze: async () => (await import('./commands/analyze.ts')).addAnalyze,
    check: async () => (await import('./commands/check.ts')).addCheck,
  },
  'Run on this machine:': {
    start: async () => (await import('./commands/start.ts')).addStart,
    status: async () => (await import('./commands/status.ts')).addStatus,
    logs: async () => (await import('./commands/logs.ts')).addLogs,
    doctor: async () => (await import('./commands/doctor.ts')).addDoctor,
    models: async () => (await import('./commands/models.ts')).addModels,
    services: async () => (await import('./commands/services.ts')).addServices,
    worker: async () => (await import('./commands/worker.ts')).addWorker,
  },
  'Operate jobs:': {
    jobs: async () => (await import('./commands/jobs.ts')).addJobs,
    show: async () => (await import('./commands/show.ts')).addShow,
    retry: jobActions,
    replay: jobActions,
    cancel: jobActions,
    'start-draft': jobActions,
    bulk: async () => (await import('./commands/bulk.ts')).addBulk,
    pause,
    resume: pause,
    'take-down': async () => (await import('./commands/take-down.ts')).addTakeDown,
  },
  'Set up:': {
    migrate: async () => (await import('./commands/migrate.ts')).addMigrate,
    settings: async () => (await import('./commands/settings.ts')).addSettings,
    operators: async () => (await import('./commands/operators.ts')).addOperators,
    'check-service': async () => (await import('./commands/check-service.ts')).addCheckService,
  },
};

/** Adds the commands whose names occur in the arguments. Adds all commands if none does, or if help is requested. */
export async function addCommands(program: Command, argv: readonly string[]): Promise<void> {
  const all = Object.values(GROUPS).flatMap((group) => Object.keys(group));
  const named = all.filter((name) => argv.includes(name));
  const wanted = named.length === 0 || argv.includes('help') ? all : named;
  for (const [heading, group] of Object.entries(GROUPS)) {
    program.commandsGroup(heading);
    const loaders = new Set(wanted.flatMap((name) => group[name] ?? []));
    for (const load of loaders) (await load())(program);
  }
}

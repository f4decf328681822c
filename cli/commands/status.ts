/** `mashup status`: shows the running local stack. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { readStack } from '../../local/state.ts';
import type { StackInfo } from '../../local/state.ts';
import { SERVICES } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import type { StackOptions } from '../connect.ts';
import { CliError } from '../errors.ts';
import { withDatabase } from '../operator.ts';
import { print, printJson, table } from '../output.ts';
import { isServiceUp } from '../doctor/services.ts';

interface Worker {
  id: string;
  host: string;
  pid: number;
  concurrency: number;
  running: number;
  seen_sec: number;
}

/** Adds the command to the program. */
export function addStatus(program: Command): void {
  program
    .command('status')
    .description('show the running local stack: URLs, keys, services, workers')
    .option('--json', 'as JSON')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<StackOptions & { json?: boolean }>();
      const info = readStack(options.dataDir);
      if (info === undefined) {
        throw new CliError('not_running', 'No local stack is running here.', 'Start it with `mashup start`.');
      }
      const [workers, services] = await Promise.all([readWorkers(info), readServices(info)]);
      if (options.json === true) printJson(asJson(info, workers, services));
      else printStatus(info, workers, services);
    });
}

function readWorkers(info: StackInfo): Promise<Worker[]> {
  return withDatabase({ dataDir: info.dataDir }, async (sql) => [
    ...(await sql<Worker[]>`
      select w.id, w.host, w.pid, w.concurrency, extract(epoch from mashup.now() - w.seen_at)::int as seen_sec,
        (select count(*)::int from mashup.tasks t where t.worker_id = w.id and t.state = 'running') as running
      from mashup.workers w where w.seen_at > mashup.now() - interval '1 minute' order by w.registered_at`),
  ]);
}

async function readServices(info: StackInfo): Promise<{ name: ServiceName; url: string; isUp: boolean }[]> {
  return Promise.all(
    SERVICES.map(async (name) => ({ name, url: info.services[name], isUp: await isServiceUp(info.services[name]) })),
  );
}

function asJson(info: StackInfo, workers: Worker[], services: Awaited<ReturnType<typeof readServices>>): object {
  return {
    running: true,
    pid: info.pid,
    startedAt: info.startedAt,
    dataDir: info.dataDir,
    apiUrl: info.apiUrl,
    dbUrl: info.dbUrl,
    workerDbUrl: info.workerDbUrl,
    studioUrl: info.studioUrl,
    functionsUrl: info.functionsUrl,
    anonKey: info.anonKey,
    serviceRoleKey: info.serviceRoleKey,
    publishableKey: info.publishableKey,
    secretKey: info.secretKey,
    operator: info.operator,
    services: Object.fromEntries(services.map(({ name, url, isUp }) => [name, { url, up: isUp }])),
    workers,
  };
}

function printStatus(info: StackInfo, workers: Worker[], services: Awaited<ReturnType<typeof readServices>>): void {
  const rows: string[][] = [
    ['API', info.apiUrl],
    ['Studio', info.studioUrl ?? 'not built'],
    ['Database', info.dbUrl],
    ['Publishable key', info.publishableKey],
    ['Secret key', info.secretKey],
    ['Operator', `${info.operator.email} with ${info.operator.password}`],
    ['Data', info.dataDir],
    ...services.map(({ name, url, isUp }) => [name, `${url}  ${isUp ? pc.green('up') : pc.red('down')}`]),
    ...workers.map((worker) => [
      'worker',
      `process ${worker.pid} on ${worker.host}, ${worker.running} of ${worker.concurrency} tasks, last heartbeat ${worker.seen_sec} s ago`,
    ]),
  ];
  if (workers.length === 0) rows.push(['worker', pc.red('none: no task can run')]);
  for (const line of table(rows.map(([name = '', value = '']) => [pc.dim(name), value]))) print(line);
}

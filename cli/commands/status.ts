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

/** What the engine knows of a service from its calls. */
interface Condition {
  service: string;
  condition: string;
  /** Last error, where the condition has one. */
  error: string | null;
}

interface Service {
  name: ServiceName;
  url: string;
  isUp: boolean;
  condition: string;
  error: string | null;
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
      const [{ workers, conditions }, up] = await Promise.all([readEngine(info), readServices(info)]);
      const services = up.map((service) => {
        const known = conditions.find((one) => one.service === service.name);
        return { ...service, condition: known?.condition ?? 'available', error: known?.error ?? null };
      });
      if (options.json === true) printJson(asJson(info, workers, services));
      else printStatus(info, workers, services);
    });
}

function readEngine(info: StackInfo): Promise<{ workers: Worker[]; conditions: Condition[] }> {
  return withDatabase({ dataDir: info.dataDir }, async (sql) => ({
    conditions: await sql<Condition[]>`
      select service, condition, case when condition not in ('available', 'not_heard', 'paused')
        then case when failures_in_a_row = 0 and faults_in_a_row > 0 then coalesce(last_fault, last_error) else last_error end end as error
      from mashup.circuits`,
    workers: await sql<Worker[]>`
      select w.id, w.host, w.pid, w.concurrency, extract(epoch from mashup.now() - w.seen_at)::int as seen_sec,
        (select count(*)::int from mashup.tasks t where t.worker_id = w.id and t.state = 'running') as running
      from mashup.workers w where w.seen_at > mashup.now() - interval '1 minute' order by w.registered_at`,
  }));
}

async function readServices(info: StackInfo): Promise<Pick<Service, 'name' | 'url' | 'isUp'>[]> {
  return Promise.all(
    SERVICES.map(async (name) => ({ name, url: info.services[name], isUp: await isServiceUp(info.services[name]) })),
  );
}

function asJson(info: StackInfo, workers: Worker[], services: readonly Service[]): object {
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
    services: Object.fromEntries(
      services.map(({ name, url, isUp, condition, error }) => [name, { url, up: isUp, condition, error }]),
    ),
    workers,
  };
}

/** Whether a service answers, and what its calls say: one that answers may still fail them all. */
function serviceText({ isUp, condition, error }: Service): string {
  const text =
    condition === 'available' ? '' : `, ${condition.replaceAll('_', ' ')}${error === null ? '' : `: ${error}`}`;
  if (!isUp) return pc.red(`down${text}`);
  return text === '' ? pc.green('up') : pc.yellow(`up${text}`);
}

function printStatus(info: StackInfo, workers: readonly Worker[], services: readonly Service[]): void {
  const rows: string[][] = [
    ['API', info.apiUrl],
    ['Studio', info.studioUrl ?? 'not built'],
    ['Database', info.dbUrl],
    ['Publishable key', info.publishableKey],
    ['Secret key', info.secretKey],
    ['Operator', `${info.operator.email} with ${info.operator.password}`],
    ['Data', info.dataDir],
    ...services.map((service) => [service.name, `${service.url}  ${serviceText(service)}`]),
    ...workers.map((worker) => [
      'worker',
      `process ${worker.pid} on ${worker.host}, ${worker.running} of ${worker.concurrency} tasks, last heartbeat ${worker.seen_sec} s ago`,
    ]),
  ];
  if (workers.length === 0) rows.push(['worker', pc.red('none: no task can run')]);
  for (const line of table(rows.map(([name = '', value = '']) => [pc.dim(name), value]))) print(line);
}

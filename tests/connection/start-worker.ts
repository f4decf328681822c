/** A worker without Storage and services, for tests of its connection. */
import { SERVICES } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import { runWorker } from '../../worker/run.ts';
import type { RunningWorker } from '../../worker/run.ts';

const serviceUrls = Object.fromEntries(SERVICES.map((name) => [name, 'http://127.0.0.1:1'])) as Record<
  ServiceName,
  string
>;

/** Starts a worker. `log` receives its lines, without those about Storage. */
export function startWorker(databaseUrl: string, log: string[] = []): Promise<RunningWorker> {
  return runWorker({
    databaseUrl,
    supabaseUrl: 'http://127.0.0.1:1',
    serviceRoleKey: 'key',
    serviceUrls,
    write: (line) => void (/storage/i.test(line) || log.push(line)),
  });
}

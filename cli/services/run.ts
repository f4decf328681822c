/** Runs built-in services as supervised processes. */
import { passLines } from '../../local/supervisor/log-file.ts';
import { assertPortFree } from '../../local/ports.ts';
import { localUrl, servicePart } from '../../local/process-part.ts';
import { supervise } from '../../local/supervisor/supervise.ts';
import type { Part } from '../../local/supervisor/supervise.ts';
import { SERVICE_DEFAULTS } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import type { ChosenService } from './choose.ts';

export interface RunningServices {
  /** URL of each service, as this machine reaches it. */
  urls: Partial<Record<ServiceName, string>>;
  /** Stops all services. Resolves when their processes have ended. */
  stop(): Promise<void>;
}

/**
 * Starts services side by side. A service that crashes later is started again.
 * @param options.modelsDir folder of installed models, for the separation service
 * @param options.write receives the lines that the services print, and messages about them
 * @throws PortTakenError; PartFailedError if a service does not start or `signal` aborts. Nothing is left running
 */
export async function startServices(
  services: readonly ChosenService[],
  options: { host: string; modelsDir: string; signal: AbortSignal; write: (line: string) => void },
): Promise<RunningServices> {
  const { host, modelsDir, signal, write } = options;
  for (const { service, port } of services)
    await assertPortFree(port, `the ${service} service`, portHint(service, port));
  const started = await Promise.allSettled(
    services.map(({ service, port }) =>
      supervise(
        servicePart({
          service,
          host,
          port,
          modelsDir,
          // Services print JSON with their name. Messages of Node do not have it.
          logFile: passLines((line) => write(line.startsWith('{') ? line : `${service}: ${line}`)),
          failureHint: 'Its messages are above.',
        }),
        { log: write, pidChanged: () => {} },
        signal,
      ),
    ),
  );
  const parts = started.flatMap((one): Part[] => (one.status === 'fulfilled' ? [one.value] : []));
  const stop = async (): Promise<void> => void (await Promise.all(parts.map((part) => part.stop())));
  const failure = started.find((one) => one.status === 'rejected');
  if (failure) {
    await stop();
    throw failure.reason;
  }
  return { urls: Object.fromEntries(services.map(({ service, port }) => [service, localUrl(host, port)])), stop };
}

function portHint(service: ServiceName, port: number): string {
  const { urlVariable } = SERVICE_DEFAULTS[service];
  return `If it is the ${service} service that you want to use, set ${urlVariable}=${localUrl('', port)}. Otherwise choose another port: --port ${service}=${port + 1000}.`;
}

/** Runs a service as a process: listens, reports that it is ready, stops on a signal. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ServiceName } from '../../schema.ts';
import { outliveOutput } from '../../telemetry/log.ts';
import { ServiceEnvironment } from './environment.ts';
import { freeMemoryWhenIdle } from './idle-memory.ts';
import { logError, logRequests } from './log.ts';
import { isLoopbackHost } from './outgoing.ts';

/** Time that open connections have to end after a stop signal, before they are closed. */
const SHUTDOWN_GRACE_MS = 1_500;
/** Time after the grace period at which the process exits in any case. */
const EXIT_MARGIN_MS = 300;

type RunOptions = { service: ServiceName; defaultPort: number };

/**
 * Runs a service as a process: listens on HOST (default 127.0.0.1) and PORT (default: the service's), prints one line of
 * JSON when it is ready, and stops within two seconds of SIGTERM or SIGINT. If a variable is invalid, the port is taken, or HOST is
 * not a loopback address and there is no SERVICES_TOKEN, the process exits with code 1 and one line that says what to do.
 */
export async function runService(server: Server, { service, defaultPort }: RunOptions): Promise<void> {
  const settings = ServiceEnvironment.safeParse(process.env);
  if (!settings.success) {
    exit(service, `${settings.error.issues.map(({ path, message }) => `${String(path[0])} ${message}`).join('; ')}.`);
  }
  const { HOST: host, PORT: port = defaultPort, SERVICES_TOKEN: token } = settings.data;
  if (token === undefined && !isLoopbackHost(host)) {
    exit(
      service,
      `HOST is ${host}, which other machines can reach, and SERVICES_TOKEN is not set. Set it to the output of \`openssl rand -hex 32\`, for the service and for the worker, or unset HOST.`,
    );
  }
  outliveOutput();
  process.on('unhandledRejection', (error) => logError(service, error));
  logRequests(server, service);
  freeMemoryWhenIdle(server);
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (code === 'EADDRINUSE') exit(service, `Port ${port} on ${host} is taken. Stop what uses it, or set PORT.`);
    exit(service, `Cannot listen on ${host}:${port} (${code}). Set HOST and PORT to an address of this machine.`);
  }
  stopOnSignal(server);
  const address = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ listening: true, service, port: address.port })}\n`);
}

/** Reads the settings of a service from the environment. If they are invalid, the process exits with code 1 and what the error says. */
export function settingsOrExit<T>(service: ServiceName, read: (environment: NodeJS.ProcessEnv) => T): T {
  try {
    return read(process.env);
  } catch (error) {
    return exit(service, error instanceof Error ? error.message : String(error));
  }
}

function stopOnSignal(server: Server): void {
  const stop = (): void => {
    setTimeout(() => process.exit(0), SHUTDOWN_GRACE_MS + EXIT_MARGIN_MS).unref();
    server.close(() => process.exit(0));
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), SHUTDOWN_GRACE_MS).unref();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

function exit(service: ServiceName, message: string): never {
  process.stderr.write(`${service}: ${message}\n`);
  process.exit(1);
}

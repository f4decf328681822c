/** The HTTP port of a worker for monitoring: `GET /healthz`, `/readyz` and `/metrics`. It accepts no work and shows no data of users. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Gauge } from 'prom-client';
import { WorkerStartError } from '../errors.ts';
import type { Log } from '../log.ts';
import { errorText } from '../redact.ts';
import { DatabaseMetrics } from './database-metrics.ts';
import type { DatabaseSource } from './database-metrics.ts';
import type { WorkerMetrics } from './metrics.ts';
import { checkReadiness, isReady, READINESS_CHECKS } from './readiness.ts';
import type { ReadinessSource } from './readiness.ts';

/** Where the port listens. */
export interface MonitoringAddress {
  host: string;
  port: number;
}

export interface MonitoringOptions {
  address: MonitoringAddress;
  worker: { id: string; version: string; concurrency: number };
  metrics: WorkerMetrics;
  database: DatabaseSource;
  log: Log;
}

export interface Monitoring {
  /** Base URL of the port. */
  url: string;
  /** The worker has registered: from now on its parts are asked. */
  started(source: ReadinessSource): void;
  close(): Promise<void>;
}

/**
 * Starts to listen, before the worker is registered: a worker that waits for its database is alive and not ready.
 * @throws WorkerStartError `port_taken` if the address is not free
 */
export async function startMonitoring(options: MonitoringOptions): Promise<Monitoring> {
  const monitor = new Monitor(options);
  const server = createServer((request, response) => {
    monitor.respond(request, response).catch((error: unknown) => {
      options.log('warn', 'a request for monitoring failed', { error: errorText(error) });
      send(response, 500, 'text/plain', 'internal error\n');
    });
  });
  const { host, port } = options.address;
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new WorkerStartError(
      'port_taken',
      `The port for monitoring cannot be opened on ${host}:${port}: ${errorText(error)}`,
      'Set WORKER_HTTP_PORT and WORKER_HTTP_HOST to a free address of this machine.',
      error,
    );
  }
  // The worker ends when its tasks are done, whoever is connected here.
  server.unref();
  return {
    url: urlOf(server, host),
    started: (source) => (monitor.source = source),
    close: () => close(server),
  };
}

class Monitor {
  source: ReadinessSource | undefined;
  readonly #metrics: WorkerMetrics;
  readonly #database: DatabaseMetrics;
  readonly #ready: Gauge<'check'>;

  constructor({ database, metrics, worker }: MonitoringOptions) {
    this.#metrics = metrics;
    const { registry } = metrics;
    this.#database = new DatabaseMetrics(registry, database);
    collectDefaultMetrics({ register: registry });
    this.#ready = new Gauge({
      name: 'mashup_worker_ready',
      help: '1 where a part of this worker is ready.',
      labelNames: ['check'],
      registers: [registry],
    });
    new Gauge({
      name: 'mashup_worker_concurrency',
      help: 'Tasks that this worker can run, with its id and version.',
      labelNames: ['worker', 'version'],
      registers: [registry],
    }).set({ worker: worker.id, version: worker.version }, worker.concurrency);
  }

  async respond({ method = 'GET', url = '/' }: IncomingMessage, response: ServerResponse): Promise<void> {
    if (method !== 'GET' && method !== 'HEAD') return send(response, 405, 'text/plain', 'only GET is supported\n');
    switch (url.split('?')[0]) {
      case '/healthz':
        return sendJson(response, 200, { status: 'ok' });
      case '/readyz': {
        const checks = await checkReadiness(this.source);
        const ready = isReady(checks);
        return sendJson(response, ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', checks });
      }
      case '/metrics':
        return send(response, 200, this.#metrics.registry.contentType, await this.#collect());
      default:
        return send(response, 404, 'text/plain', 'There are /healthz, /readyz and /metrics.\n');
    }
  }

  async #collect(): Promise<string> {
    const [checks] = await Promise.all([checkReadiness(this.source), this.#database.update()]);
    for (const check of READINESS_CHECKS) this.#ready.set({ check }, checks[check] === 'ok' ? 1 : 0);
    return this.#metrics.registry.metrics();
  }
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  send(response, status, 'application/json', `${JSON.stringify(body)}\n`);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(body);
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

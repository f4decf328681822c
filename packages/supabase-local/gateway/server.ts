/** The gateway: one loopback HTTP server before Auth, REST, Storage, Realtime and the functions. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerAuth } from './auth/routes.ts';
import { requireLoopback } from './config.ts';
import type { GatewayConfig } from './config.ts';
import { answerPreflight } from './cors.ts';
import { isUnreachable } from './database.ts';
import { answerFunction } from './functions.ts';
import { notImplemented, openExchange, Refusal, sendRefusal } from './http.ts';
import type { Exchange } from './http.ts';
import { openKeyRing } from './keys.ts';
import { openListener, openPool } from './pool.ts';
import { startRealtime } from './realtime/server.ts';
import { openCatalog } from './rest/catalog.ts';
import { answerRest } from './rest/routes.ts';
import { openFiles } from './storage/files.ts';
import { answerStorage } from './storage/routes.ts';
import { answerStudio } from './studio.ts';

/** Connections for requests. Realtime's checks and LISTEN have their own. */
const REQUEST_CONNECTIONS = 10;

/** Life of an access token in seconds where nothing else is said. */
const TOKEN_SECONDS = 3600;

/** How long `close` waits for its database connections, in seconds. */
const CLOSE_SECONDS = 2;

export interface Gateway {
  /** Where it listens, e.g. `http://127.0.0.1:54321`. */
  url: string;
  port: number;
  close(): Promise<void>;
}

type Answer = (exchange: Exchange, path: string) => Promise<void>;

function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

/** An error that is nobody's refusal: the caller learns that it happened, the log what it was. */
function unexpected(error: unknown): Refusal {
  if (isUnreachable(error)) {
    const message = 'Database connection error. Retrying the connection.';
    const hint = 'The database behind the gateway is down or restarting.';
    return new Refusal(503, { code: 'PGRST000', message, details: null, hint }, { 'retry-after': '1' });
  }
  const message = 'The gateway failed to answer';
  console.error(`gateway: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return new Refusal(500, { code: 'GATEWAY_ERROR', message, details: null, hint: 'The log of the gateway says why.' });
}

/**
 * Starts the gateway and resolves when it listens. Throws GatewayConfigError for a host that is not loopback, and the
 * error of the system for a port that is taken.
 */
export async function startGateway(config: GatewayConfig): Promise<Gateway> {
  const host = requireLoopback(config.host ?? '127.0.0.1');
  const ring = await openKeyRing(config.keys);
  const sql = await openPool(config.dbUrl, REQUEST_CONNECTIONS);
  const catalog = await openCatalog(sql);
  const files = await openFiles(config.storageDir);
  let url = '';
  const auth = { sql, ring, issuer: () => `${url}/auth/v1`, tokenSeconds: config.tokenSeconds ?? TOKEN_SECONDS };

  const services: [string, Answer][] = [
    ['/auth/v1', (exchange, path) => answerAuth(auth, exchange, path)],
    ['/rest/v1', (exchange, path) => answerRest({ sql, catalog }, ring, exchange, path)],
    ['/storage/v1', (exchange, path) => answerStorage({ sql, files }, ring, exchange, path)],
    ['/functions/v1', (exchange, path) => answerFunction(config.functionsUrl, exchange, path)],
    ['/realtime/v1', (exchange, path) => realtime.answer(exchange, path)],
  ];

  async function answer(exchange: Exchange): Promise<void> {
    const { method, path } = exchange;
    const service = services.find(([prefix]) => path === prefix || path.startsWith(`${prefix}/`));
    if (method === 'OPTIONS' && service?.[0] !== '/functions/v1') return answerPreflight(exchange);
    if (service) return service[1](exchange, path.slice(service[0].length));
    const reading = method === 'GET' || method === 'HEAD';
    if (config.studioDir && reading) {
      const site = { directory: config.studioDir, anonKey: config.keys.anonKey };
      if (await answerStudio(site, exchange)) return;
    }
    throw notImplemented(`${method} ${path}`);
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const exchange = openExchange(request, response);
    answer(exchange).catch((error: unknown) => {
      if (exchange.signal.aborted) return;
      sendRefusal(exchange, error instanceof Refusal ? error : unexpected(error));
    });
  }

  const server = createServer({ requestTimeout: 0 }, handle);
  const realtime = await startRealtime({ server, ring, sql, dbUrl: config.dbUrl });
  const listening = await listen(server, host, config.port).catch(async (error: unknown) => {
    await Promise.all([realtime.close(), sql.end({ timeout: CLOSE_SECONDS })]);
    throw error;
  });
  url = `http://${host.includes(':') ? `[${host}]` : host}:${listening.port}`;
  const listener = await openListener(config.dbUrl, 'pgrst', () => catalog.forget());

  return {
    url,
    port: listening.port,
    async close() {
      await realtime.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await listener.close();
      await sql.end({ timeout: CLOSE_SECONDS });
    },
  };
}

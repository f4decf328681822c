/** The gateway: one loopback HTTP server before Auth, REST, Storage, Realtime and the functions. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Sql } from 'postgres';
import { handleAuth } from './auth/routes.ts';
import { DEFAULT_FILE_SIZE_LIMIT, requireLoopback } from './config.ts';
import type { GatewayConfig } from './config.ts';
import { sendPreflight } from './cors.ts';
import { isUnreachable } from './database.ts';
import { proxyFunction } from './functions.ts';
import { openExchange } from './exchange.ts';
import { notImplemented, HttpError, sendError } from './http.ts';
import type { Exchange } from './exchange.ts';
import { isSecretInBrowser, SECRET_IN_BROWSER } from './identity.ts';
import { openKeyRing } from './keys.ts';
import { openListener, openPool } from './pool.ts';
import { startRealtime } from './realtime/server.ts';
import { openCatalog } from './rest/catalog.ts';
import { handleRest } from './rest/routes.ts';
import { openFiles } from './storage/files.ts';
import type { StorageContext } from './storage/objects.ts';
import { handleStorage } from './storage/routes.ts';
import { servePage } from './site-pages.ts';
import { serveSite } from './site.ts';

/** Size of the pool for requests. Realtime and LISTEN have their own connections. */
const REQUEST_CONNECTIONS = 10;

/** Default lifetime of an access token, in seconds. */
const DEFAULT_TOKEN_SEC = 3600;

/** Resumable uploads are not supported. Their OPTIONS tells the global limit, as on hosted Supabase. */
const RESUMABLE_UPLOADS = '/storage/v1/upload/resumable';

/** How long `close` waits for its database connections, in seconds. */
const CLOSE_TIMEOUT_SEC = 2;
/** A client that is busy when the server ends an idle connection would send its next request into it. Node's own 5 s are too short for that. */
const KEEP_ALIVE_MS = 75_000;

/** A running gateway. */
export interface Gateway {
  /** Base URL, e.g. `http://127.0.0.1:54321`. */
  url: string;
  port: number;
  close(): Promise<void>;
}

type Handler = (exchange: Exchange, path: string) => Promise<void>;

function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

/** Converts an unexpected error to a response: 503 if the database cannot be reached, else 500. The log has the details. */
function toServerError(error: unknown): HttpError {
  if (isUnreachable(error)) {
    const message = 'Database connection error. Retrying the connection.';
    const hint = 'The database behind the gateway is down or restarting.';
    return new HttpError(503, { code: 'PGRST000', message, details: null, hint }, { 'retry-after': '1' });
  }
  const message = 'The gateway failed to handle the request';
  console.error(`gateway: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return new HttpError(500, {
    code: 'GATEWAY_ERROR',
    message,
    details: null,
    hint: 'See the log of the gateway.',
  });
}

async function openStorage(config: GatewayConfig, sql: Sql): Promise<StorageContext> {
  const { fileSizeLimit = DEFAULT_FILE_SIZE_LIMIT, uploadUrlSeconds } = config;
  return { sql, files: await openFiles(config.storageDir), fileSizeLimit, uploadUrlSeconds };
}

function sendOptions(exchange: Exchange, { fileSizeLimit }: StorageContext): void {
  if (exchange.path === RESUMABLE_UPLOADS) exchange.response.setHeader('tus-max-size', fileSizeLimit);
  sendPreflight(exchange);
}

function authSettings({ tokenSeconds = DEFAULT_TOKEN_SEC, anonymousUsers = true }: GatewayConfig) {
  return { tokenSeconds, anonymousUsers };
}

/** Serves what belongs to the site: a page that is made for the request, or a file. Returns false if it has neither. */
async function serveSitePart(config: GatewayConfig, url: string, exchange: Exchange): Promise<boolean> {
  const { makePages, siteDir, keys } = config;
  if (makePages && (await servePage(makePages({ url, anonKey: keys.anonKey }), exchange, url))) return true;
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') return false;
  return siteDir !== undefined && serveSite({ directory: siteDir, anonKey: keys.anonKey }, exchange);
}

/** Returns the exchange. @throws HttpError 401 for a secret key from a browser */
function refuseSecretInBrowser(exchange: Exchange): Exchange {
  if (isSecretInBrowser(exchange.request.headers, exchange.query)) throw new HttpError(401, SECRET_IN_BROWSER);
  return exchange;
}

/**
 * Starts the gateway. Resolves when it listens.
 * @throws GatewayConfigError for a host that is not loopback, the system's error for a port in use
 */
export async function startGateway(config: GatewayConfig): Promise<Gateway> {
  const host = requireLoopback(config.host ?? '127.0.0.1');
  const ring = await openKeyRing(config.keys);
  const sql = await openPool(config.dbUrl, REQUEST_CONNECTIONS);
  const catalog = await openCatalog(sql);
  const storage = await openStorage(config, sql);
  let url = '';
  const auth = { sql, ring, issuer: () => `${url}/auth/v1`, ...authSettings(config) };

  const services: [string, Handler][] = [
    ['/auth/v1', (exchange, path) => handleAuth(auth, exchange, path)],
    ['/rest/v1', (exchange, path) => handleRest({ sql, catalog }, ring, exchange, path)],
    ['/storage/v1', (exchange, path) => handleStorage(storage, ring, exchange, path)],
    ['/functions/v1', (exchange, path) => proxyFunction(config.functionsUrl, exchange, path)],
    ['/realtime/v1', (exchange, path) => realtime.handle(exchange, path)],
  ];

  async function route(exchange: Exchange): Promise<void> {
    const { method, path } = exchange;
    const service = services.find(([prefix]) => path === prefix || path.startsWith(`${prefix}/`));
    if (method === 'OPTIONS' && service?.[0] !== '/functions/v1') return sendOptions(exchange, storage);
    if (service) return service[1](refuseSecretInBrowser(exchange), path.slice(service[0].length));
    if (await serveSitePart(config, url, exchange)) return;
    throw notImplemented(`${method} ${path}`);
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const exchange = openExchange(request, response);
    route(exchange).catch((error: unknown) => {
      if (exchange.signal.aborted) return;
      sendError(exchange, error instanceof HttpError ? error : toServerError(error));
    });
  }

  const server = createServer({ requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS }, handle);
  const realtime = await startRealtime({ server, ring, dbUrl: config.dbUrl });
  const listening = await listen(server, host, config.port).catch(async (error: unknown) => {
    await Promise.all([realtime.close(), sql.end({ timeout: CLOSE_TIMEOUT_SEC })]);
    throw error;
  });
  url = `http://${host.includes(':') ? `[${host}]` : host}:${listening.port}`;
  const listener = await openListener(config.dbUrl, 'pgrst', () => catalog.invalidate());

  return {
    url,
    port: listening.port,
    async close() {
      await realtime.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await listener.close();
      await sql.end({ timeout: CLOSE_TIMEOUT_SEC });
    },
  };
}

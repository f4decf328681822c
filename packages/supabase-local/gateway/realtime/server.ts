/** `/realtime/v1`: sockets, and broadcasts by HTTP. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Exchange } from '../exchange.ts';
import { notImplemented } from '../http.ts';
import type { KeyRing } from '../keys.ts';
import { openPool } from '../pool.ts';
import { ChangeFanOut } from './changes.ts';
import type { DatabaseMessage } from './changes.ts';
import { handleBroadcast, handleSingleBroadcast, isSingleBroadcast } from './http-broadcast.ts';
import { dropOrphanedSlot } from './slot.ts';
import { Topics } from './topics.ts';
import { handleUpgrade } from './upgrade.ts';

/** Largest frame of a client, in bytes. */
const MAX_FRAME_BYTES = 5 * 1024 * 1024;

/** Connections for subscriptions and private channels. */
const POOL_SIZE = 4;
/** How long `close` waits for its database connections, in seconds. */
const CLOSE_TIMEOUT_SEC = 2;

interface Realtime {
  /** Handles an HTTP call; `path` is what follows `/realtime/v1`. */
  handle(exchange: Exchange, path: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Adds Realtime to the server. The replication stream opens with the first channel that subscribes to changes or is private.
 * @throws the connection error if the database cannot be reached
 */
export async function startRealtime(options: { server: Server; ring: KeyRing; dbUrl: string }): Promise<Realtime> {
  const { server, ring, dbUrl } = options;
  const [sql, checks] = await Promise.all([openPool(dbUrl, POOL_SIZE), openPool(dbUrl, 1)]);
  await dropOrphanedSlot(sql);
  const topics = new Topics();
  const broadcastMessage = ({ topic, isPrivate, event, payload }: DatabaseMessage): void =>
    topics.broadcast(`realtime:${topic}`, isPrivate, { event, payload, binary: undefined });
  const changes = new ChangeFanOut({ sql, checks, dbUrl }, broadcastMessage);
  const context = { sql, ring, changes, topics };
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME_BYTES });

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    handleUpgrade(context, sockets, request, socket, head).catch(() => socket.destroy());
  });

  return {
    async handle(exchange, path) {
      if (exchange.method === 'POST' && path === '/api/broadcast') return handleBroadcast(context, exchange);
      if (exchange.method === 'POST' && isSingleBroadcast(path)) return handleSingleBroadcast(context, exchange, path);
      throw notImplemented(`${exchange.method} ${path} of Realtime`);
    },
    async close() {
      for (const client of sockets.clients) client.terminate();
      await changes.close();
      await Promise.all([sql, checks].map((pool) => pool.end({ timeout: CLOSE_TIMEOUT_SEC })));
    },
  };
}

/** `/realtime/v1`: the socket's handshake, and broadcasts by HTTP. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Sql } from 'postgres';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { notImplemented, readJson, HttpError, send } from '../http.ts';
import type { Exchange } from '../exchange.ts';
import { bearerOf, identityOf, requireApiKey } from '../identity.ts';
import type { KeyRing } from '../keys.ts';
import { openPool } from '../pool.ts';
import { canWrite } from './authorization.ts';
import { openChanges } from './changes.ts';
import { RealtimeError } from './errors.ts';
import { VERSIONS } from './protocol.ts';
import { dropLeftSlot } from './replication.ts';
import { serveSocket } from './socket.ts';
import { readToken } from './tokens.ts';
import { Topics } from './topics.ts';

const SOCKET_PATH = '/realtime/v1/websocket';
const MAX_FRAME = 5 * 1024 * 1024;

/** Connections for subscriptions and private channels. */
const CHECK_CONNECTIONS = 4;
const CLOSE_SECONDS = 2;

const Messages = z.object({
  messages: z.array(
    z.object({ topic: z.string(), event: z.string(), payload: z.unknown(), private: z.boolean().default(false) }),
  ),
});

interface Realtime {
  answer(exchange: Exchange, path: string): Promise<void>;
  close(): Promise<void>;
}

function refuseUpgrade(socket: Duplex, status: number, reason: string, error: string): void {
  const body = JSON.stringify({ error });
  const head = `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
  socket.end(head + body);
}

/** Adds Realtime to the server. The stream of changes opens with the first channel that asks for it, or is private. */
export async function startRealtime(options: {
  server: Server;
  ring: KeyRing;
  sql: Sql;
  dbUrl: string;
}): Promise<Realtime> {
  const { server, ring, dbUrl } = options;
  const [sql, checks] = await Promise.all([openPool(dbUrl, CHECK_CONNECTIONS), openPool(dbUrl, 1)]);
  await dropLeftSlot(sql);
  const topics = new Topics();
  const changes = openChanges({ sql, checks, dbUrl }, ({ topic, isPrivate, event, payload }) =>
    topics.broadcast(`realtime:${topic}`, isPrivate, { event, payload, binary: undefined }),
  );
  const context = { sql, ring, changes, topics };
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_FRAME });

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://gateway');
    if (url.pathname !== SOCKET_PATH) return refuseUpgrade(socket, 404, 'Not Found', 'unknown path');
    const version = VERSIONS.find((known) => known === (url.searchParams.get('vsn') ?? '1.0.0'));
    if (!version) return refuseUpgrade(socket, 400, 'Bad Request', 'vsn must be 1.0.0 or 2.0.0');
    const key = url.searchParams.get('apikey') ?? '';
    try {
      await readToken(ring, key, 'join');
    } catch (error) {
      const reason = error instanceof RealtimeError ? error.message : 'the key cannot be checked';
      return refuseUpgrade(socket, 401, 'Unauthorized', reason);
    }
    sockets.handleUpgrade(request, socket, head, (accepted) => serveSocket(context, accepted, version, key));
  }

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    upgrade(request, socket, head).catch(() => socket.destroy());
  });

  async function broadcast(exchange: Exchange): Promise<void> {
    const role = requireApiKey(exchange, ring);
    const bearer = bearerOf(exchange.request.headers);
    const identity = bearer ? await identityOf(ring, bearer) : { role, claims: { role } };
    const invalid = (): HttpError => new HttpError(422, { errors: { messages: ['is invalid'] } });
    const parsed = Messages.safeParse(await readJson(exchange, invalid));
    if (!parsed.success) throw invalid();
    for (const { topic, event, payload, private: isPrivate } of parsed.data.messages) {
      if (isPrivate && !(await canWrite(sql, identity, topic, 'broadcast'))) continue;
      context.topics.broadcast(`realtime:${topic}`, isPrivate, { event, payload, binary: undefined });
    }
    send(exchange, 202);
  }

  return {
    async answer(exchange, path) {
      if (exchange.method === 'POST' && path === '/api/broadcast') return broadcast(exchange);
      throw notImplemented(`${exchange.method} ${path} of Realtime`);
    },
    async close() {
      for (const client of sockets.clients) client.terminate();
      await context.changes.close();
      await Promise.all([sql, checks].map((pool) => pool.end({ timeout: CLOSE_SECONDS })));
    },
  };
}

/** The WebSocket handshake of `/realtime/v1/websocket`. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import { isSecretInBrowser, SECRET_IN_BROWSER } from '../identity.ts';
import type { RealtimeContext } from './channel.ts';
import { RealtimeError } from './errors.ts';
import { VERSIONS } from './protocol.ts';
import { SocketSession } from './socket.ts';
import { readToken } from './tokens.ts';

const SOCKET_PATH = '/realtime/v1/websocket';

function reject(socket: Duplex, status: number, reason: string, error: string): void {
  const body = JSON.stringify({ error });
  const head = `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
  socket.end(head + body);
}

/** Accepts or rejects an upgrade request. A rejection is an HTTP response with a JSON body. */
export async function handleUpgrade(
  context: RealtimeContext,
  sockets: WebSocketServer,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://gateway');
  if (url.pathname !== SOCKET_PATH) return reject(socket, 404, 'Not Found', 'unknown path');
  const version = VERSIONS.find((known) => known === (url.searchParams.get('vsn') ?? '1.0.0'));
  if (!version) return reject(socket, 400, 'Bad Request', 'vsn must be 1.0.0 or 2.0.0');
  if (isSecretInBrowser(request.headers, url.searchParams))
    return reject(socket, 401, 'Unauthorized', SECRET_IN_BROWSER.message);
  const key = url.searchParams.get('apikey') ?? '';
  try {
    await readToken(context.ring, key, 'join');
  } catch (error) {
    const reason = error instanceof RealtimeError ? error.message : 'the key cannot be checked';
    return reject(socket, 401, 'Unauthorized', reason);
  }
  sockets.handleUpgrade(request, socket, head, (accepted) => new SocketSession(context, accepted, version, key));
}

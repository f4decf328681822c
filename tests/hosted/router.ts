/** A router before the servers of a project: it forwards HTTP and WebSockets by the start of the path. */
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface Route {
  /** Start of the path. */
  prefix: string;
  /** Base URL of the server. */
  target: string;
  /** Whether the server gets the path without the prefix. */
  isStripped: boolean;
}

/** Starts a router on a free port of loopback. The first route whose prefix matches is taken. */
export async function startRouter(routes: readonly Route[]): Promise<{ url: string; close(): Promise<void> }> {
  const find = (request: IncomingMessage): { target: URL; path: string } => {
    const path = request.url ?? '/';
    const route = routes.find(({ prefix }) => path.startsWith(prefix));
    if (!route) throw new Error(`no route for ${path}`);
    return { target: new URL(route.target), path: route.isStripped ? path.slice(route.prefix.length) : path };
  };
  const server = createServer((request, response) => {
    const { target, path } = find(request);
    const headers = { ...request.headers, 'x-forwarded-host': request.headers.host };
    const upstream = httpRequest(
      { host: target.hostname, port: target.port, path, method: request.method, headers },
      (reply) => {
        response.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(response);
      },
    );
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  });
  const sockets = new Set<Socket>();
  server.on('upgrade', (request, socket: Socket, head) => {
    const { target, path } = find(request);
    const upstream = connect(Number(target.port), target.hostname, () => {
      const lines = [`${request.method} ${path} HTTP/1.1`];
      for (let i = 0; i < request.rawHeaders.length; i += 2)
        lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
      upstream.write(`${lines.join('\r\n')}\r\n\r\n`);
      upstream.write(head);
      socket.pipe(upstream).pipe(socket);
    });
    sockets.add(socket).add(upstream);
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const)
      one.on('error', () => {}).on('close', () => other.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

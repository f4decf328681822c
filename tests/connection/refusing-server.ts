/** Servers that refuse connections, and a proxy that can be closed and opened. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { CleanUpScope } from '../support/postgres.ts';

/** Code of the message with which a client asks for TLS. */
const SSL_REQUEST_CODE = 80_877_103;

/** Starts a server that answers each login with an error, as a pooler does. Returns its port. */
export function useRefusingServer(scope: CleanUpScope, code: string, message: string): Promise<number> {
  const fields = `SFATAL\0VFATAL\0C${code}\0M${message}\0\0`;
  const error = Buffer.alloc(5 + fields.length);
  error.write('E', 0, 'latin1');
  error.writeUInt32BE(4 + fields.length, 1);
  error.write(fields, 5, 'latin1');
  return listen(scope, (socket) => {
    socket.on('data', (bytes) => {
      if (bytes.length === 8 && bytes.readUInt32BE(4) === SSL_REQUEST_CODE) socket.write('N');
      else socket.end(error);
    });
  });
}

/** A proxy to a database. While it is closed, it ends every connection. */
export interface SwitchableProxy {
  url: string;
  /** Times at which a connection was ended at its start. */
  attempts: number[];
  setOpen(isOpen: boolean): void;
}

/** Starts the proxy. */
export async function useSwitchableProxy(scope: CleanUpScope, databaseUrl: string): Promise<SwitchableProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let isOpen = false;
  const proxy: SwitchableProxy = {
    url: '',
    attempts: [],
    setOpen(value) {
      isOpen = value;
      if (!isOpen) for (const socket of sockets) socket.destroy();
    },
  };
  const port = await listen(scope, (client) => {
    if (!isOpen) {
      proxy.attempts.push(performance.now());
      client.destroy();
      return;
    }
    const server = connect(Number(target.port), target.hostname);
    sockets.add(client).add(server);
    server.on('error', () => {}).on('close', () => client.destroy());
    client.on('close', () => server.destroy());
    client.pipe(server).pipe(client);
  });
  const url = new URL(databaseUrl);
  url.port = String(port);
  proxy.url = url.href;
  return proxy;
}

async function listen(scope: CleanUpScope, serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  scope.after(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

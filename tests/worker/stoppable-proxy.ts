/** A TCP proxy in front of a server, which a test stops and starts: the server behind it goes away and comes back. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export interface StoppableProxy {
  url: string;
  /** Refuses connections from now on, and breaks those that are open. */
  stop(): Promise<void>;
  start(): Promise<void>;
  isRunning(): boolean;
}

/** Starts a proxy to the server of an http URL. */
export async function startStoppableProxy(target: string): Promise<StoppableProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let proxyPort = 0;
  const start = async (): Promise<void> => {
    const next = createServer((socket) => {
      const upstream = connect(Number(port), hostname);
      for (const [one, other] of [
        [socket, upstream],
        [upstream, socket],
      ] as const) {
        sockets.add(one);
        one.on('error', () => {});
        one.on('close', () => {
          sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
    await new Promise<void>((resolve) => next.listen(proxyPort, '127.0.0.1', resolve));
    proxyPort = (next.address() as AddressInfo).port;
    server = next;
  };
  const stop = async (): Promise<void> => {
    const stopped = server;
    server = undefined;
    const closed = new Promise((resolve) => (stopped ? stopped.close(resolve) : resolve(undefined)));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await start();
  return { url: `http://127.0.0.1:${proxyPort}`, stop, start, isRunning: () => server !== undefined };
}

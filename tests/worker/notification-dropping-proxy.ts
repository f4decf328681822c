/** A Postgres proxy that drops notifications, as a transaction-mode pooler does. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** Type byte of a NotificationResponse. */
const NOTIFICATION = 'A'.charCodeAt(0);

/** Starts the proxy on a free port. */
export async function startNotificationDroppingProxy(
  databaseUrl: string,
): Promise<{ url: string; close(): Promise<void> }> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const backend = connect(Number(target.port), target.hostname);
    for (const socket of [client, backend]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => {
        client.destroy();
        backend.destroy();
      });
    }
    client.on('data', (bytes) => backend.write(bytes));
    let pending = Buffer.alloc(0);
    backend.on('data', (bytes) => {
      pending = Buffer.concat([pending, bytes]);
      while (pending.length >= 5) {
        const length = 1 + pending.readUInt32BE(1);
        if (pending.length < length) break;
        if (pending[0] !== NOTIFICATION) client.write(pending.subarray(0, length));
        pending = pending.subarray(length);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.port = String((server.address() as AddressInfo).port);
  // The answer to a request for TLS is not a message of the protocol.
  url.searchParams.set('sslmode', 'disable');
  return {
    url: url.href,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

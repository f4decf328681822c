/** A Postgres proxy whose connections can be made half-open: they stay open and transfer nothing. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface HalfOpenProxy {
  url: string;
  /** From now on, existing and new connections transfer nothing. Neither side is notified. */
  cut(): void;
  /** New connections work again. Older ones stay half-open; with `resumeOld` they continue, and held data arrives late. */
  restore(resumeOld?: boolean): void;
  close(): Promise<void>;
}

interface Pair {
  client: Socket;
  backend: Socket;
}

/** Starts a proxy for a database on a free port. */
export async function startHalfOpenProxy(databaseUrl: string): Promise<HalfOpenProxy> {
  const target = new URL(databaseUrl);
  const pairs = new Set<Pair>();
  let isCut = false;
  const server = createServer({ allowHalfOpen: false }, (client) => {
    const pair = { client, backend: connect(Number(target.port), target.hostname) };
    pairs.add(pair);
    forward(pair, () => pairs.delete(pair));
    if (isCut) freeze(pair);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    cut() {
      isCut = true;
      for (const pair of pairs) freeze(pair);
    },
    restore(resumeOld = false) {
      isCut = false;
      for (const { client, backend } of resumeOld ? pairs : []) {
        client.resume();
        backend.resume();
      }
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const { client, backend } of pairs) {
        client.destroy();
        backend.destroy();
      }
      await closed;
    },
  };
}

/** Forwards data in both directions until one side closes. */
function forward({ client, backend }: Pair, onClose: () => void): void {
  for (const [from, to] of [
    [client, backend],
    [backend, client],
  ] as const) {
    from.setNoDelay(true);
    from.on('data', (bytes) => to.write(bytes));
    from.on('error', () => {});
    from.once('close', () => {
      onClose();
      to.destroy();
    });
  }
}

function freeze({ client, backend }: Pair): void {
  client.pause();
  backend.pause();
}

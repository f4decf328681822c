/** A proxy before Postgres whose connections go half-open: they stay up, and nothing comes through any more. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface Proxy {
  url: string;
  /** From now on nothing passes, in connections that are there and in new ones, and nobody is told. */
  cut(): void;
  /** New connections pass again. Those of before the cut stay dead; with `thaw` they come alive, and what was held arrives late. */
  mend(thaw?: boolean): void;
  close(): Promise<void>;
}

interface Pair {
  client: Socket;
  backend: Socket;
}

export async function startProxy(databaseUrl: string): Promise<Proxy> {
  const target = new URL(databaseUrl);
  const pairs = new Set<Pair>();
  let isCut = false;

  function freeze({ client, backend }: Pair): void {
    client.pause();
    backend.pause();
  }

  const server = createServer({ allowHalfOpen: false }, (client) => {
    const backend = connect(Number(target.port), target.hostname);
    const pair: Pair = { client, backend };
    pairs.add(pair);
    for (const [one, other] of [
      [client, backend],
      [backend, client],
    ] as const) {
      one.setNoDelay(true);
      one.on('data', (bytes) => other.write(bytes));
      one.on('error', () => {});
      one.once('close', () => {
        pairs.delete(pair);
        other.destroy();
      });
    }
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
    mend(thaw = false) {
      isCut = false;
      for (const { client, backend } of thaw ? pairs : []) {
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

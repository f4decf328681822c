/**
 * The stream of committed transactions, read from a permanent logical replication slot, whole and in commit order.
 *
 * After a lost connection the slot sends everything again that was not acknowledged, and transactions that were received
 * before are skipped: nothing is lost, repeated or reordered while this process lives. Transactions are acknowledged on
 * receipt, not on delivery: a stopping Postgres waits for the acknowledgement, while delivery needs Postgres.
 */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { LogicalReplicationService } from 'pg-logical-replication';
import type { Pgoutput } from 'pg-logical-replication';
import type { Sql } from 'postgres';
import { createSlot, dropSlot, slotName } from './slot.ts';
import { openStartupSocket } from './startup-socket.ts';
import { createPlugin, TransactionReader } from './transactions.ts';
import type { StreamPosition, Transaction } from './transactions.ts';

const RECONNECT_MS = 100;
/** How long a connection may take to close before its socket is destroyed, in milliseconds. */
const DISCONNECT_TIMEOUT_MS = 1_000;

/** The connection that is being opened or that carries the stream now. */
interface Connection {
  service: LogicalReplicationService;
  socket: Socket;
}

async function disconnect({ service, socket }: Connection): Promise<void> {
  await Promise.race([service.destroy().catch(() => {}), delay(DISCONNECT_TIMEOUT_MS, undefined, { ref: false })]);
  socket.destroy();
}

/** The stream of one database. It opens no connection before `start`. */
export class ReplicationStream {
  readonly #sql: Sql;
  readonly #dbUrl: string;
  readonly #deliver: (transaction: Transaction) => Promise<void>;
  readonly #position: StreamPosition = { received: 0n };
  #starting: Promise<void> | undefined;
  #slot: string | undefined;
  #slotCreation: Promise<void> | undefined;
  #running: Promise<void> | undefined;
  #connection: Connection | undefined;
  #isClosed = false;
  #delivered = Promise.resolve();

  /** @param deliver called for one transaction at a time */
  constructor(sql: Sql, dbUrl: string, deliver: (transaction: Transaction) => Promise<void>) {
    this.#sql = sql;
    this.#dbUrl = dbUrl;
    this.#deliver = deliver;
  }

  /** Creates the slot and opens the stream. Resolves when changes are streamed. Later calls return the same promise. */
  start(): Promise<void> {
    if (!this.#starting) {
      const starting = this.#open();
      this.#starting = starting;
      starting.catch(() => {
        if (this.#starting === starting) this.#starting = undefined;
      });
    }
    return this.#starting;
  }

  /** Closes the stream and drops the slot. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#slotCreation?.catch(() => {});
    if (this.#connection) await disconnect(this.#connection);
    await this.#running;
    if (this.#slot) await dropSlot(this.#sql, this.#slot).catch(() => {});
  }

  async #open(): Promise<void> {
    const name = await slotName(this.#sql);
    if (!this.#isClosed) {
      this.#slot = name;
      this.#slotCreation = createSlot(this.#sql, name);
      await this.#slotCreation;
    }
    if (this.#isClosed) throw new Error('the gateway is closing');
    await new Promise<void>((resolve) => {
      this.#running = this.#run(name, resolve);
    });
  }

  /** Reconnects until the stream is closed. */
  async #run(slot: string, onStreaming: () => void): Promise<void> {
    while (!this.#isClosed) {
      await this.#connect(slot, onStreaming);
      if (!this.#isClosed) await delay(RECONNECT_MS);
    }
  }

  /** Opens one connection. Resolves when it is closed. */
  async #connect(slot: string, onStreaming: () => void): Promise<void> {
    const { socket, markStarted } = openStartupSocket();
    const socketClosed = new Promise((resolve) => socket.once('close', resolve));
    const service = new LogicalReplicationService(
      {
        connectionString: this.#dbUrl,
        // Loopback only: PGSSLMODE is meant for other databases.
        ssl: false,
        stream: () => socket,
        application_name: 'supabase-local-realtime',
        options: '-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1',
      },
      { acknowledge: { auto: false, timeoutSeconds: 0 } },
    );
    const connection = { service, socket };
    this.#connection = connection;
    this.#read(service);
    service.on('start', () => {
      markStarted();
      onStreaming();
    });
    const subscribed = service.subscribe(createPlugin(), slot);
    // If the connection closes during startup, `subscribe` never settles.
    await Promise.race([subscribed.catch(() => {}), socketClosed]);
    await disconnect(connection);
  }

  #read(service: LogicalReplicationService): void {
    const reader = new TransactionReader(this.#position);
    service.on('data', (_lsn: string, message: Pgoutput.Message) => {
      const transaction = reader.read(message);
      if (transaction) this.#enqueue(transaction);
    });
    service.on('heartbeat', (lsn: string) => {
      const received = reader.acknowledge(lsn);
      if (received !== undefined) void service.acknowledge(received);
    });
    service.on('error', () => {});
  }

  #enqueue(transaction: Transaction): void {
    this.#delivered = this.#delivered
      .then(() => this.#deliver(transaction))
      .catch((error: unknown) => console.error(`realtime: a transaction was not delivered: ${String(error)}`));
  }
}

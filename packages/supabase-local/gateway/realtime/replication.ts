/**
 * The stream of committed transactions, read from a permanent logical replication slot, whole and in commit order.
 *
 * After a lost connection the slot sends everything again that was not acknowledged, and transactions that were received
 * before are skipped: nothing is lost, repeated or reordered while this process lives. Transactions are acknowledged on
 * receipt, not on delivery: a stopping Postgres waits for the acknowledgement, while delivery needs Postgres.
 *
 * A slot can vanish: someone drops it, Postgres invalidates it (`max_slot_wal_keep_size`), or the cluster is restored from a
 * backup, which contains no slots. The stream then creates it again and reports the gap, because changes may have been lost.
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
/** SQLSTATEs of a start on a slot that is missing (undefined_object) or invalidated (object_not_in_prerequisite_state). */
const SLOT_LOST = new Set(['42704', '55000']);
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

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

/** The stream of one database. It opens no connection before `start`. */
export class ReplicationStream {
  readonly #sql: Sql;
  readonly #dbUrl: string;
  readonly #deliver: (transaction: Transaction) => Promise<void>;
  readonly #onGap: () => void;
  readonly #position: StreamPosition = { received: 0n };
  #starting: Promise<void> | undefined;
  #slot: string | undefined;
  #slotCreation: Promise<void> | undefined;
  #running: Promise<void> | undefined;
  #connection: Connection | undefined;
  #isClosed = false;
  /** The slot was created again, and the stream has not started since. */
  #hasGap = false;
  #delivered = Promise.resolve();

  /**
   * @param deliver called for one transaction at a time
   * @param onGap called when the stream continues after changes may have been lost
   */
  constructor(sql: Sql, dbUrl: string, deliver: (transaction: Transaction) => Promise<void>, onGap = () => {}) {
    this.#sql = sql;
    this.#dbUrl = dbUrl;
    this.#deliver = deliver;
    this.#onGap = onGap;
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
      const failure = await this.#connect(slot, onStreaming);
      if (this.#isClosed) return;
      if (SLOT_LOST.has(codeOf(failure))) await this.#recreateSlot(slot);
      await delay(RECONNECT_MS);
    }
  }

  /** Replaces a slot that is lost. A database that cannot be reached is tried again with the next connection. */
  async #recreateSlot(slot: string): Promise<void> {
    this.#slotCreation = dropSlot(this.#sql, slot).then(() => createSlot(this.#sql, slot));
    try {
      await this.#slotCreation;
    } catch (error) {
      return console.error(`realtime: the replication slot could not be created again: ${String(error)}`);
    }
    console.error(
      'realtime: the replication slot was lost and is created again; changes in between were not delivered',
    );
    // The log of a restored cluster may be shorter than what was received.
    this.#position.received = 0n;
    this.#hasGap = true;
  }

  /** Opens one connection. Resolves when it is closed, with the error that ended it, if there was one. */
  async #connect(slot: string, onStreaming: () => void): Promise<unknown> {
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
      if (!this.#hasGap) return;
      this.#hasGap = false;
      this.#onGap();
    });
    let failure: unknown;
    const subscribed = service.subscribe(createPlugin(), slot).catch((error: unknown) => (failure = error));
    // If the connection closes during startup, `subscribe` never settles.
    await Promise.race([subscribed, socketClosed]);
    await disconnect(connection);
    return failure;
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

/**
 * The stream of committed changes, from a permanent logical slot. Transactions arrive whole and in commit order. After a
 * break the slot sends again what was not confirmed, and what was seen before is skipped: nothing is lost, doubled or
 * reordered while this process lives. What happens while it is down has no follower, so the slot goes with it; for the
 * same reason a transaction is confirmed when it is here and not when it is delivered. A stop of Postgres waits for that
 * word, and delivery for Postgres.
 */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { LogicalReplicationService, PgoutputPlugin } from 'pg-logical-replication';
import type { Pgoutput } from 'pg-logical-replication';
import type { Sql } from 'postgres';
import { databaseError } from '../database.ts';
import { openGreetingSocket } from './startup-socket.ts';

/** Tables that are watched, and the messages of `realtime.send`. */
const PUBLICATIONS = ['supabase_realtime', 'supabase_realtime_messages_publication'];
const RETRY_MS = 100;
const SLOT_RETRY_MS = 250;
/** How long a slot of a process that is just dying is waited for, in milliseconds. */
const SLOT_PATIENCE_MS = 15_000;
const STOP_PATIENCE_MS = 1_000;
const OBJECT_IN_USE = '55006';
const DUPLICATE_OBJECT = '42710';

/** A row as texts; a column that is missing was unchanged and is stored out of line, or is not part of the key. */
export type Row = Record<string, string | null | undefined>;
export type Relation = Pgoutput.MessageRelation;

export interface Change {
  type: 'INSERT' | 'UPDATE' | 'DELETE';
  relation: Relation;
  row: Row | undefined;
  old: Row | undefined;
}

export interface Transaction {
  /** The lower 32 bits of its id. */
  xid: number;
  changes: Change[];
  /** When it was committed, UTC with three decimals. */
  committedAt: string;
}

interface Replication {
  /** Creates the slot and starts the stream; resolves when changes flow. Later calls return the same promise. */
  start(): Promise<void>;
  /** Stops the stream and drops the slot. */
  close(): Promise<void>;
}

/** The connection that is tried or that carries the stream now. */
interface Line {
  service: LogicalReplicationService;
  socket: Socket;
}

/** Keeps every value as the text that Postgres sent. */
class TextPlugin extends PgoutputPlugin {
  override parse(buffer: Buffer): Pgoutput.Message {
    const message = super.parse(buffer);
    if (message.tag === 'relation') for (const column of message.columns) column.parser = (raw: unknown) => raw;
    return message;
  }
}

function toLsn(text: string | null): bigint {
  const [high = '0', low = '0'] = (text ?? '0/0').split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

function fromLsn(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffffffffn).toString(16).toUpperCase()}`;
}

function changeOf(message: Pgoutput.Message): Change | undefined {
  switch (message.tag) {
    case 'insert':
      return { type: 'INSERT', relation: message.relation, row: message.new, old: undefined };
    case 'update':
      return {
        type: 'UPDATE',
        relation: message.relation,
        row: message.new,
        old: message.old ?? message.key ?? undefined,
      };
    case 'delete':
      return {
        type: 'DELETE',
        relation: message.relation,
        row: undefined,
        old: message.old ?? message.key ?? undefined,
      };
    default:
      return undefined;
  }
}

/** Slots belong to the cluster, so the name carries the database. */
async function slotNameOf(sql: Sql): Promise<string> {
  const [row] = await sql<{ name: string }[]>`select current_database() as name`;
  return `supabase_local_${createHash('sha256').update(row!.name).digest('hex').slice(0, 16)}`;
}

/** Drops a slot that an earlier process left; one in use is waited for, since its holder may just be dying. */
async function dropSlot(sql: Sql, slot: string): Promise<void> {
  const patience = Date.now() + SLOT_PATIENCE_MS;
  for (;;) {
    try {
      await sql`select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ${slot}`;
      return;
    } catch (error) {
      if (databaseError(error)?.code !== OBJECT_IN_USE || Date.now() > patience) throw error;
      await delay(SLOT_RETRY_MS);
    }
  }
}

async function createSlot(sql: Sql, slot: string): Promise<void> {
  try {
    await sql`select pg_create_logical_replication_slot(${slot}, 'pgoutput')`;
  } catch (error) {
    if (databaseError(error)?.code !== DUPLICATE_OBJECT) throw error;
    await dropSlot(sql, slot);
    await sql`select pg_create_logical_replication_slot(${slot}, 'pgoutput')`;
  }
}

/** Prepares the stream; nothing is opened before `start`. `deliver` is called for one transaction at a time. */
export function openReplication(
  sql: Sql,
  dbUrl: string,
  deliver: (transaction: Transaction) => Promise<void>,
): Replication {
  let started: Promise<void> | undefined;
  let line: Line | undefined;
  let closed = false;
  let slot: string | undefined;
  let creating: Promise<void> | undefined;
  let looping: Promise<void> | undefined;
  let received = 0n;
  let delivered = Promise.resolve();

  function enqueue(transaction: Transaction): void {
    delivered = delivered
      .then(() => deliver(transaction))
      .catch((error: unknown) => console.error(`realtime: a transaction was not delivered: ${String(error)}`));
  }

  function follow(current: LogicalReplicationService): void {
    let changes: Change[] | undefined;
    let xid = 0;
    current.on('data', (_lsn: string, message: Pgoutput.Message) => {
      if (message.tag === 'begin') {
        changes = [];
        xid = message.xid >>> 0;
      } else if (message.tag === 'commit') {
        const end = toLsn(message.commitEndLsn);
        const seen = end <= received;
        received = seen ? received : end;
        const committedAt = new Date(Number(message.commitTime.valueOf() / 1000n)).toISOString();
        if (changes && changes.length > 0 && !seen) enqueue({ xid, changes, committedAt });
        changes = undefined;
      } else {
        const change = changeOf(message);
        if (change) changes?.push(change);
      }
    });
    // The library adds one to what it is told, and a stop of Postgres waits until exactly what was sent is confirmed.
    current.on('heartbeat', (lsn: string) => {
      if (!changes && toLsn(lsn) > received) received = toLsn(lsn);
      if (received > 0n) void current.acknowledge(fromLsn(received - 1n));
    });
    current.on('error', () => {});
  }

  async function disconnect({ service, socket }: Line): Promise<void> {
    await Promise.race([service.destroy().catch(() => {}), delay(STOP_PATIENCE_MS, undefined, { ref: false })]);
    socket.destroy();
  }

  async function loop(name: string, flowing: () => void): Promise<void> {
    while (!closed) {
      const { socket, greeted } = openGreetingSocket();
      const isClosed = new Promise((resolve) => socket.once('close', resolve));
      const service = new LogicalReplicationService(
        {
          connectionString: dbUrl,
          stream: () => socket,
          application_name: 'supabase-local-realtime',
          options: '-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1',
        },
        { acknowledge: { auto: false, timeoutSeconds: 0 } },
      );
      line = { service, socket };
      follow(service);
      service.on('start', () => {
        greeted();
        flowing();
      });
      const subscribed = service.subscribe(new TextPlugin({ protoVersion: 1, publicationNames: PUBLICATIONS }), name);
      // A connection that is ended before it was greeted never says so to whoever waits for the greeting.
      await Promise.race([subscribed.catch(() => {}), isClosed]);
      await disconnect(line);
      if (!closed) await delay(RETRY_MS);
    }
  }

  async function begin(): Promise<void> {
    const name = await slotNameOf(sql);
    if (!closed) {
      slot = name;
      creating = createSlot(sql, name);
      await creating;
    }
    if (closed) throw new Error('the gateway is closing');
    await new Promise<void>((resolve) => {
      looping = loop(name, resolve);
    });
  }

  return {
    start() {
      if (!started) {
        const starting = begin();
        started = starting;
        starting.catch(() => {
          if (started === starting) started = undefined;
        });
      }
      return started;
    },
    async close() {
      closed = true;
      await creating?.catch(() => {});
      if (line) await disconnect(line);
      await looping;
      if (slot) await dropSlot(sql, slot).catch(() => {});
    },
  };
}

/** Drops the slot that a killed gateway left behind, or it would keep WAL for ever. */
export async function dropLeftSlot(sql: Sql): Promise<void> {
  const slot = await slotNameOf(sql);
  await sql`
    select pg_drop_replication_slot(slot_name) from pg_replication_slots
    where slot_name = ${slot} and active_pid is null`;
}

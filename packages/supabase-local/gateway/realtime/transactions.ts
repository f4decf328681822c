/** Assembles committed transactions from the messages of the pgoutput plugin. */
import { PgoutputPlugin } from 'pg-logical-replication';
import type { Pgoutput } from 'pg-logical-replication';

/** Published tables, and the messages of `realtime.send`. */
const PUBLICATIONS = ['supabase_realtime', 'supabase_realtime_messages_publication'];

/**
 * A row as texts. A column is missing if it was unchanged and is stored out of line (TOAST), or is not part of the replica
 * identity.
 */
export type Row = Record<string, string | null | undefined>;
/** A table as the stream describes it. */
export type Relation = Pgoutput.MessageRelation;

/** One inserted, updated or deleted row. */
export interface Change {
  type: 'INSERT' | 'UPDATE' | 'DELETE';
  relation: Relation;
  row: Row | undefined;
  old: Row | undefined;
}

/** A committed transaction. */
export interface Transaction {
  /** The lower 32 bits of its id. */
  xid: number;
  changes: Change[];
  /** Time of the commit: ISO 8601, UTC, three decimals. */
  committedAt: string;
}

/** The highest position (LSN) that was received, over all connections of one stream. */
export interface StreamPosition {
  received: bigint;
}

/** pgoutput that keeps every value as the text that Postgres sent. */
class TextPlugin extends PgoutputPlugin {
  override parse(buffer: Buffer): Pgoutput.Message {
    const message = super.parse(buffer);
    if (message.tag === 'relation') for (const column of message.columns) column.parser = (raw: unknown) => raw;
    return message;
  }
}

/** Creates the plugin that decodes the stream of the published tables. */
export function createPlugin(): PgoutputPlugin {
  return new TextPlugin({ protoVersion: 1, publicationNames: PUBLICATIONS });
}

/** Parses an LSN such as `16/B374D848`. */
function parseLsn(text: string | null): bigint {
  const [high = '0', low = '0'] = (text ?? '0/0').split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

function formatLsn(lsn: bigint): string {
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

/** Reads the messages of one connection. */
export class TransactionReader {
  readonly #position: StreamPosition;
  /** Changes of the transaction that is being read; undefined between transactions. */
  #changes: Change[] | undefined;
  #xid = 0;

  /** @param position shared by all connections of a stream: transactions at or before it are skipped as repeated */
  constructor(position: StreamPosition) {
    this.#position = position;
  }

  /** Reads one message. Returns the transaction that it completes, unless it is empty or was received before. */
  read(message: Pgoutput.Message): Transaction | undefined {
    if (message.tag === 'begin') {
      this.#changes = [];
      this.#xid = message.xid >>> 0;
      return undefined;
    }
    if (message.tag === 'commit') return this.#commit(message);
    const change = changeOf(message);
    if (change) this.#changes?.push(change);
    return undefined;
  }

  /**
   * Handles a heartbeat of the server. Returns the LSN to acknowledge, or undefined before anything was received. It is one
   * less than what was received: pg-logical-replication adds one, and a stopping Postgres waits until exactly what it sent
   * is confirmed.
   */
  acknowledge(lsn: string): string | undefined {
    const sent = parseLsn(lsn);
    if (!this.#changes && sent > this.#position.received) this.#position.received = sent;
    const { received } = this.#position;
    return received > 0n ? formatLsn(received - 1n) : undefined;
  }

  #commit(message: Pgoutput.MessageCommit): Transaction | undefined {
    const changes = this.#changes;
    this.#changes = undefined;
    const end = parseLsn(message.commitEndLsn);
    if (end <= this.#position.received) return undefined;
    this.#position.received = end;
    if (!changes || changes.length === 0) return undefined;
    const committedAt = new Date(Number(message.commitTime.valueOf() / 1000n)).toISOString();
    return { xid: this.#xid, changes, committedAt };
  }
}

/**
 * The worker's own connection: it holds the session advisory lock that tells everybody that this process lives, beats, and
 * listens for replays and cancellations. Lost, it is opened again within a second.
 *
 * The lock is gone with the process at once; it is believed to be free only when the last beat is older than
 * `crash_grace_sec` (1 s), hence the short interval: a dropped connection alone then makes nobody think that we are dead.
 * Each connection locks a key of its own: the server may hold the lock of one that went half-open for hours, and for as long
 * the death of this process would go unnoticed.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { sql } from 'kysely';
import { z } from 'zod';
import type { Db } from './database/database.ts';
import { WorkerStartError } from './errors.ts';
import type { Log } from './log.ts';
import { KEEP_ALIVE_MS } from './database/pool.ts';
import { errorText } from './redact.ts';

const BEAT_MS = 400;
/** A statement on this connection that takes longer means that the connection is dead. */
const QUERY_TIMEOUT_MS = 3_000;
/** Nothing came through when so much had passed since a question that was not answered. */
const CUT_MARGIN_MS = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_MIN_MS = 50;
const RECONNECT_MAX_MS = 1_000;
/** How long a notification may take before it counts as lost. */
const LISTEN_TEST_MS = 3_000;
/** Pools of Graphile Worker that are kept in mind: an earlier one may have left locked jobs. */
const MAX_POOL_IDS = 5;

const TASKS_CHANNEL = 'mashup_tasks';
const TaskSignal = z.object({ job: z.string(), status: z.string() });

export interface SessionOptions {
  databaseUrl: string;
  workerId: string;
  version: string;
  concurrency: number;
  services: Record<string, string>;
  log: Log;
  /** A job was replayed, cancelled or failed; undefined: signals may have been missed, look at all tasks. */
  onSignal: (jobId: string | undefined) => void;
  /** The way to the database is open again after it carried nothing, since a moment of the monotonic clock at the latest. */
  onSilence: (since: number) => void;
}

export interface Session {
  /** Adds a pool of Graphile Worker to the worker's row, so that its locks are freed if this process dies. */
  addPool(poolId: string): void;
  /** The worker is saying goodbye: from now on its row is not made again. */
  leave(): void;
  stop(): Promise<void>;
}

/** Errors at start that no waiting cures. */
const FATAL_SQLSTATES: Record<string, string> = {
  '28P01': 'Check user and password in DATABASE_URL.',
  '28000': 'Check the user in DATABASE_URL, and that the role may log in.',
  '3D000': 'Check the database name in DATABASE_URL.',
  '42501': 'DATABASE_URL must name role mashup_worker; run `mashup migrate` if the grants are missing.',
};
/** Function or schema is not there. */
const NOT_MIGRATED: ReadonlySet<string> = new Set(['42883', '3F000', '42P01']);

/**
 * Connects, takes the lock, registers and tests LISTEN. Waits for a database that is away or not migrated yet.
 * @throws WorkerStartError for a log-in that is refused and for a connection that does not carry LISTEN
 */
export async function openSession(db: Db, options: SessionOptions): Promise<Session> {
  const { log, workerId } = options;
  const poolIds: string[] = [];
  let client: pg.Client | undefined;
  let lockKey = '0';
  let askedAt = performance.now();
  let isStale = false;
  let isStopped = false;
  let isLeaving = false;
  let wake: (() => void) | undefined;

  function drop(): void {
    const old = client;
    client = undefined;
    if (old) {
      old.removeAllListeners('notification');
      void old.end().catch(() => {});
    }
    wake?.();
  }

  async function register(on: pg.Client): Promise<void> {
    await on.query('select mashup.register_worker($1, $2, $3, $4, $5, $6, $7, $8)', [
      workerId,
      hostname().slice(0, 100),
      process.pid,
      lockKey,
      options.version,
      options.concurrency,
      poolIds,
      options.services,
    ]);
    isStale = false;
  }

  async function lock(on: pg.Client): Promise<void> {
    lockKey = randomBytes(8).readBigInt64BE(0).toString();
    await on.query('select pg_advisory_lock($1)', [lockKey]);
  }

  async function connect(): Promise<pg.Client> {
    const next = new pg.Client({
      connectionString: options.databaseUrl,
      application_name: 'mashup-worker-session',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    });
    next.on('error', (error) => {
      if (client !== next) return;
      log('warn', 'lost the connection to the database', { error: errorText(error) });
      drop();
    });
    next.on('notification', ({ channel, payload }) => {
      if (channel !== TASKS_CHANNEL) return;
      const signal = TaskSignal.safeParse(parseJson(payload));
      if (signal.success) options.onSignal(signal.data.job);
    });
    try {
      await next.connect();
      await lock(next);
      await register(next);
      await next.query(`listen ${TASKS_CHANNEL}`);
    } catch (error) {
      void next.end().catch(() => {});
      throw error;
    }
    if (performance.now() - askedAt >= QUERY_TIMEOUT_MS) options.onSilence(askedAt + CUT_MARGIN_MS);
    return next;
  }

  async function beat(on: pg.Client): Promise<void> {
    askedAt = performance.now();
    const { rows } = await on.query<{ known: boolean }>('select mashup.heartbeat_worker($1) as known', [workerId]);
    if (!isLeaving && (rows[0]?.known !== true || isStale)) await register(on);
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function keep(): Promise<void> {
    let wait = RECONNECT_MIN_MS;
    while (!isStopped) {
      if (client === undefined) {
        try {
          client = await connect();
          wait = RECONNECT_MIN_MS;
          log('info', 'connected to the database again');
          options.onSignal(undefined);
        } catch (error) {
          log('warn', 'cannot reach the database', { error: errorText(error) });
          await pause(wait);
          wait = Math.min(wait * 2, RECONNECT_MAX_MS);
        }
        continue;
      }
      await pause(BEAT_MS);
      const on = client;
      if (isStopped || on === undefined) continue;
      try {
        await beat(on);
      } catch (error) {
        if (client !== on) continue;
        log('warn', 'a beat failed', { error: errorText(error) });
        drop();
      }
    }
  }

  // A connection that is lost during the test says nothing about LISTEN: both begin again.
  for (let isTested = false; !isTested;) {
    client = await connectFirst(connect, log);
    try {
      await testListen(client, db, workerId);
      isTested = true;
    } catch (error) {
      drop();
      if (error instanceof WorkerStartError) throw error;
      log('warn', 'lost the database while starting; trying again', { error: errorText(error) });
      await sleep(RECONNECT_MIN_MS);
    }
  }
  const kept = keep();

  return {
    addPool(poolId) {
      poolIds.push(poolId);
      poolIds.splice(0, poolIds.length - MAX_POOL_IDS);
      isStale = true;
      wake?.();
    },
    leave: () => void (isLeaving = true),
    async stop() {
      isStopped = true;
      drop();
      await Promise.race([kept, sleep(500)]);
    },
  };
}

/** Waits for a database that is starting or not migrated yet; refuses what will not get better. */
async function connectFirst(connect: () => Promise<pg.Client>, log: Log): Promise<pg.Client> {
  let said = '';
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      const code = codeOf(error);
      const hint = FATAL_SQLSTATES[code];
      if (hint !== undefined)
        throw new WorkerStartError(
          'database_refused',
          `The database refuses the worker: ${errorText(error)}`,
          hint,
          error,
        );
      const message = NOT_MIGRATED.has(code)
        ? 'the database is not migrated; waiting for `mashup migrate`'
        : `cannot reach the database; trying again: ${errorText(error)}`;
      if (message !== said) log('warn', message);
      said = message;
      await sleep(RECONNECT_MAX_MS);
    }
  }
}

/** A transaction-mode pooler takes LISTEN and delivers nothing: found out by a notification from another connection. */
async function testListen(client: pg.Client, db: Db, workerId: string): Promise<void> {
  const channel = `mashup_test_${workerId.replaceAll('-', '_')}`;
  await client.query(`listen ${channel}`);
  const heard = new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), LISTEN_TEST_MS);
    client.on('notification', (message) => {
      if (message.channel !== channel) return;
      clearTimeout(timer);
      resolve(true);
    });
  });
  await sql`select pg_notify(${channel}, '')`.execute(db);
  const isHeard = await heard;
  await client.query(`unlisten ${channel}`);
  if (isHeard) return;
  throw new WorkerStartError(
    'transaction_pooler',
    'This connection does not deliver notifications: DATABASE_URL goes through a transaction-mode pooler.',
    'Use the direct connection, or the session pooler (on hosted Supabase port 5432 instead of 6543).',
  );
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

/** The connection that holds the worker's advisory lock and receives notifications about its tasks. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { z } from 'zod';
import { pgOptions } from '../../connection/clients.ts';
import { KEEP_ALIVE_MS } from './pool.ts';

/** A statement that takes longer means that the connection is lost. */
export const QUERY_TIMEOUT_MS = 3_000;
const CONNECT_TIMEOUT_MS = 5_000;

const TASKS_CHANNEL = 'mashup_tasks';
/** About a job, or about all that wait for a slot. */
const Signal = z.union([z.object({ job: z.string() }), z.object({ admit: z.literal(true) })]);

export interface RegistrationConnectionOptions {
  databaseUrl: string;
  /** Called with the id of a job that was replayed, cancelled or failed. */
  onJobSignal: (jobId: string) => void;
  /** Called when jobs wait for slots that the transaction which saw it could not give them. */
  onAdmit: () => void;
  onError: (client: pg.Client, error: Error) => void;
  /** Checks the connection before the lock is taken. Its error ends the connection. */
  check?: (client: pg.Client) => Promise<void>;
  /** Registers the worker with the key of the lock, before notifications start. */
  register: (client: pg.Client, lockKey: string) => Promise<void>;
}

/**
 * Connects, takes a session advisory lock, registers the worker and listens. Each connection locks a key of its own: the server
 * may hold the lock of a half-open connection for hours, and with a shared key the death of this process would go unnoticed for
 * as long.
 */
export async function openRegistrationConnection(options: RegistrationConnectionOptions): Promise<pg.Client> {
  const client = new pg.Client({
    application_name: 'mashup-worker-registration',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...pgOptions(options.databaseUrl),
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
  });
  client.on('error', (error) => options.onError(client, error));
  client.on('notification', ({ channel, payload }) => {
    if (channel !== TASKS_CHANNEL) return;
    const signal = Signal.safeParse(parseJson(payload));
    if (!signal.success) return;
    if ('job' in signal.data) options.onJobSignal(signal.data.job);
    else options.onAdmit();
  });
  try {
    await client.connect();
    await options.check?.(client);
    await options.register(client, await takeLock(client));
    await client.query(`listen ${TASKS_CHANNEL}`);
    return client;
  } catch (error) {
    void client.end().catch(() => {});
    throw error;
  }
}

async function takeLock(client: pg.Client): Promise<string> {
  const lockKey = randomBytes(8).readBigInt64BE(0).toString();
  await client.query('select pg_advisory_lock($1)', [lockKey]);
  return lockKey;
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

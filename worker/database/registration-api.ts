/** SQL functions that the worker calls on its registration connection. */
import { hostname } from 'node:os';
import type pg from 'pg';

export interface WorkerRow {
  workerId: string;
  /** Key of the session advisory lock that this connection holds. */
  lockKey: string;
  version: string;
  /** Number of the protocol that the worker speaks. */
  protocol: number;
  concurrency: number;
  /** Graphile Worker pools under whose ids the queue may hold locks of this worker. */
  poolIds: string[];
  services: Record<string, string>;
}

/** Writes the worker's row. @throws an error of SQLSTATE MB013 or MB014 if worker and database do not fit each other */
export async function registerWorkerRow(client: pg.Client, row: WorkerRow): Promise<void> {
  await client.query('select mashup.register_worker($1, $2, $3, $4, $5, $6, $7, $8, $9)', [
    row.workerId,
    hostname().slice(0, 100),
    process.pid,
    row.lockKey,
    row.version,
    row.concurrency,
    row.poolIds,
    row.services,
    row.protocol,
  ]);
}

/** Sends a worker heartbeat. Returns false if the worker has to register again. */
export async function heartbeatWorker(client: pg.Client, workerId: string): Promise<boolean> {
  const { rows } = await client.query<{ known: boolean }>('select mashup.heartbeat_worker($1) as known', [workerId]);
  return rows[0]?.known === true;
}

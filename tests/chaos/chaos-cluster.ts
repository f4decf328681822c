/** A Postgres server and a gateway that the stress test restarts, and a pooler. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeKeys } from '@mashup-engine/supabase-local/gateway/keys';
import type { Keys } from '@mashup-engine/supabase-local/gateway/keys';
import { startGateway } from '@mashup-engine/supabase-local/gateway/server';
import { prepareDatabase } from '../../local/database.ts';
import { startPostgres } from '../../local/postgres/launcher.ts';
import type { RunningPostgres } from '../../local/postgres/launcher.ts';
import type { StopMode } from '../../local/postgres/server-process.ts';
import { SKIP_PGBOUNCER, usePgBouncer } from '../connection/pgbouncer.ts';

type Gateway = Awaited<ReturnType<typeof startGateway>>;

/** A crash of Postgres loses nothing without fsync; only a crash of the machine would. */
const SETTINGS = { fsync: 'off', full_page_writes: 'off' };
const WORKER_PASSWORD = 'worker';
/** Every process of the stress test has its connections. Idle ones end soon, so that a leak shows. */
const POOLER_SETTINGS = { default_pool_size: 80, max_client_conn: 400, server_idle_timeout: 2 };
/** Limit for closing the gateway before a restart: its calls may wait for the database. */
const GATEWAY_CLOSE_MS = 1_000;

export interface ChaosCluster {
  superuserUrl: string;
  /** As role `mashup_worker`. */
  workerUrl: string;
  /** The same through PgBouncer in session mode; null where PgBouncer is not installed. */
  pooledWorkerUrl: string | null;
  gatewayUrl: string;
  keys: Keys;
  /** Stops and starts Postgres and the gateway on the same ports. */
  restart(mode: StopMode): Promise<void>;
  /** Stops Postgres at once, without waiting; for the exit of this process. */
  kill(): void;
  close(): Promise<void>;
}

/** Starts Postgres with the engine, and the gateway. */
export async function startChaosCluster(): Promise<ChaosCluster> {
  const dir = await mkdtemp(join(tmpdir(), 'mashup-chaos-'));
  await chmod(dir, 0o711);
  const options = { dataDir: join(dir, 'postgres'), settings: SETTINGS };
  let server: RunningPostgres = await startPostgres({ ...options, port: 0 });
  const { port, url, superuserUrl } = server;
  await prepareDatabase({ superuserUrl, url, workerPassword: WORKER_PASSWORD, log: () => {} });
  const keys = await makeKeys();
  const openGateway = (gatewayPort: number): Promise<Gateway> =>
    startGateway({ port: gatewayPort, dbUrl: superuserUrl, keys, storageDir: join(dir, 'storage') });
  let gateway = await openGateway(0);
  const gatewayUrl = gateway.url;
  const workerUrl = new URL(url);
  workerUrl.username = 'mashup_worker';
  workerUrl.password = WORKER_PASSWORD;
  const cleanUps: (() => Promise<void>)[] = [];
  const pooled = SKIP_PGBOUNCER
    ? null
    : await usePgBouncer(
        { after: (work) => cleanUps.push(work) },
        'session',
        { worker: workerUrl.href },
        POOLER_SETTINGS,
      );

  return {
    superuserUrl,
    workerUrl: workerUrl.href,
    pooledWorkerUrl: pooled?.worker ?? null,
    gatewayUrl,
    keys,
    async restart(mode) {
      await Promise.race([gateway.close(), sleep(GATEWAY_CLOSE_MS)]);
      await server.stop(mode);
      server = await startPostgres({ ...options, port });
      gateway = await openGateway(Number(new URL(gatewayUrl).port));
    },
    kill() {
      try {
        process.kill(server.pid, 'SIGQUIT');
      } catch {
        // The server has ended.
      }
    },
    async close() {
      for (const cleanUp of cleanUps) await cleanUp();
      await gateway.close();
      await server.stop('immediate');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

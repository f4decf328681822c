import { renameSync, statSync } from 'node:fs';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { LOCAL_PASSWORD } from '@mashup-engine/supabase-local/bootstrap';
import { PostgresStartError } from '../errors.ts';
import { assertPortFree, freePort, LOOPBACK } from '../ports.ts';
import { locateBinaries } from './binaries.ts';
import { clusterPaths, createCluster, hasCluster, lastLines, SUPERUSER, superuserPassword } from './data-dir.ts';
import type { ClusterPaths } from './data-dir.ts';
import { removeForeignPidFile, runningServer } from './pid-file.ts';
import { chooseRunAs } from './run-as.ts';
import type { RunAs } from './run-as.ts';
import { spawnServer, stopServer, waitUntilReady } from './server-process.ts';
import type { StopMode } from './server-process.ts';

/** How long a start is repeated while the last processes of a dead server exit. */
const LOCKED_RETRY_MS = 10_000;
const RETRY_DELAY_MS = 100;
const MAX_PORT_ATTEMPTS = 5;
const MAX_LOG_BYTES = 5_000_000;
const PORT_HINT = 'Choose other ports with --port-base.';

/** Options of `startPostgres`. */
export interface StartPostgresOptions {
  /** Directory of the cluster; created if it does not exist. */
  dataDir: string;
  /** Loopback port; 0 selects a free one. */
  port: number;
  /** Server settings in addition to the defaults, e.g. `{ fsync: 'off' }` for tests. */
  settings?: Record<string, string>;
  /** Receives one short line for each event. */
  log?: (line: string) => void;
}

/** A running server. */
export interface RunningPostgres {
  /** Connection URL of the role `postgres`, which is not a superuser. Usable after the bootstrap has created the roles. */
  url: string;
  superuserUrl: string;
  port: number;
  pid: number;
  /** Whether the server was already running. */
  reused: boolean;
  /** Stops the server and waits until it has exited. Default mode: `fast`. */
  stop(mode?: StopMode): Promise<void>;
}

/**
 * Starts the embedded Postgres on a directory and waits until it accepts connections. The first start creates the cluster. A
 * server that an earlier, killed process left running is taken over; on another port it is restarted. The server survives
 * this process: call `stop`.
 * @throws PortTakenError with the process that holds the port; PostgresStartError
 */
export async function startPostgres(options: StartPostgresOptions): Promise<RunningPostgres> {
  const log = options.log ?? (() => {});
  await mkdir(options.dataDir, { recursive: true, mode: 0o711 });
  // The real path: a running server is recognized by the path on its command line.
  const paths = clusterPaths(await realpath(options.dataDir));

  const reused = await reuseServer(paths, options.port, log);
  if (reused !== undefined) return reused;

  if (options.port !== 0) await assertPortFree(options.port, 'Postgres', PORT_HINT);
  const binaries = await locateBinaries(join(paths.home, 'binaries'));
  const runAs = chooseRunAs(paths.data, binaries.postgres);
  if (!hasCluster(paths)) {
    log('creating the database cluster');
    await createCluster(paths, binaries, runAs, options.settings?.fsync !== 'off');
  }
  await removeForeignPidFile(paths.data);
  rotateLog(paths.log);
  return startServer(paths, { program: binaries.postgres, runAs }, options, log);
}

/** Returns the server that runs on a cluster's directory, if there is one. */
export async function findPostgres(dataDir: string): Promise<{ pid: number; port: number } | undefined> {
  const home = await realpath(dataDir).catch(() => undefined);
  return home === undefined ? undefined : runningServer(clusterPaths(home).data);
}

/** Takes over a server that runs on the directory already. Stops it if it has another port than the requested one. */
async function reuseServer(
  paths: ClusterPaths,
  port: number,
  log: (line: string) => void,
): Promise<RunningPostgres | undefined> {
  const found = runningServer(paths.data);
  if (found === undefined) return undefined;
  if (port !== 0 && found.port !== port) {
    log(`Postgres runs on port ${found.port}: restarting it on ${port}`);
    await stopServer(found.pid, 'fast');
    return undefined;
  }
  if ((await waitUntilReady(paths, found.pid)) !== 'ready') return undefined;
  log(`Postgres is running already (process ${found.pid})`);
  return describeServer(paths, found.port, found.pid, true);
}

/** Starts the server. Retries on another free port, and while the processes of a dead server still hold the directory. */
async function startServer(
  paths: ClusterPaths,
  command: { program: string; runAs: RunAs },
  options: StartPostgresOptions,
  log: (line: string) => void,
): Promise<RunningPostgres> {
  const deadline = Date.now() + LOCKED_RETRY_MS;
  for (let portAttempts = 1; ;) {
    const port = options.port === 0 ? await freePort() : options.port;
    const { child, output } = spawnServer(paths, command, port, options.settings);
    const outcome = await waitUntilReady(paths, child.pid, child);
    if (outcome === 'ready' && child.pid !== undefined) {
      log(`Postgres listens on port ${port} (process ${child.pid})`);
      return describeServer(paths, port, child.pid, false);
    }
    const text = output();
    if (/could not bind|could not create any TCP/.test(text)) {
      await assertPortFree(port, 'Postgres', PORT_HINT);
      if (++portAttempts <= MAX_PORT_ATTEMPTS) continue;
    }
    // Another process has started a server on the directory in the meantime: use that one.
    if (runningServer(paths.data) !== undefined) return startPostgres(options);
    const isLocked = /lock file|shared memory block/.test(text);
    if (!isLocked || Date.now() > deadline) {
      throw new PostgresStartError(
        'postgres_failed',
        `Postgres did not start: ${lastLines(text) || 'it printed nothing'}`,
        'See postgres.log in the data directory.',
      );
    }
    await delay(RETRY_DELAY_MS);
  }
}

async function describeServer(
  paths: ClusterPaths,
  port: number,
  pid: number,
  reused: boolean,
): Promise<RunningPostgres> {
  const password = await superuserPassword(paths);
  return {
    // The server has no TLS, whatever PGSSLMODE says.
    url: `postgresql://postgres:${LOCAL_PASSWORD}@${LOOPBACK}:${port}/postgres?sslmode=disable`,
    superuserUrl: `postgresql://${SUPERUSER}:${password}@${LOOPBACK}:${port}/postgres`,
    port,
    pid,
    reused,
    stop: (mode = 'fast') => stopServer(pid, mode),
  };
}

/** Renames a large log to `<file>.1` and replaces the previous one. */
function rotateLog(path: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES) renameSync(path, `${path}.1`);
}

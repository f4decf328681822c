import type { ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { LOCAL_PASSWORD } from '@mashup-engine/supabase-local/bootstrap';
import { PostgresStartError } from '../errors.ts';
import { assertPortFree, freePort, isListening, LOOPBACK } from '../ports.ts';
import { isAlive, signalProcess } from '../processes.ts';
import { locateBinaries } from './binaries.ts';
import {
  clusterPaths,
  createCluster,
  hasCluster,
  lastLines,
  serverEnv,
  SUPERUSER,
  superuserPassword,
} from './data-dir.ts';
import type { ClusterPaths } from './data-dir.ts';
import { readPidFile, removeForeignPidFile, runningServer } from './pid-file.ts';
import { chooseRunAs, spawnAs } from './run-as.ts';

const DEFAULT_SETTINGS: Record<string, string> = {
  wal_level: 'logical',
  // A consumer of the log that went away must not fill the disk.
  max_slot_wal_keep_size: '1GB',
  max_connections: '200',
  max_wal_senders: '20',
  max_replication_slots: '20',
  timezone: 'UTC',
};

/** How long a server may take to accept connections, redo after a crash included. */
const START_TIMEOUT_MS = 60_000;
/** How long a start is repeated while a dead server's last processes go away. */
const REFUSED_RETRY_MS = 10_000;
/** After this a stop becomes an immediate one: a replication client that never acknowledges would hold it up for ever. */
const STOP_TIMEOUT_MS = 8_000;
const POLL_MS = 10;
const MAX_PORT_TRIES = 5;
const MAX_LOG_BYTES = 5_000_000;

export type StopMode = 'smart' | 'fast' | 'immediate';

const STOP_SIGNALS: Record<StopMode, NodeJS.Signals> = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' };

export interface StartPostgresOptions {
  /** Directory of the cluster; made if absent. */
  dataDir: string;
  /** Loopback port; 0 takes a free one. */
  port: number;
  /** Server settings beside and over the defaults, e.g. `{ fsync: 'off' }` for tests. */
  settings?: Record<string, string>;
  /** Told what happens, one short line each. */
  log?: (line: string) => void;
}

export interface RunningPostgres {
  /** As role `postgres`, which is no superuser. Usable once the roles exist (bootstrap). */
  url: string;
  superuserUrl: string;
  port: number;
  pid: number;
  /** Whether the server was running already. */
  reused: boolean;
  /** Stops the server and waits until it is gone. Default `fast`. */
  stop(mode?: StopMode): Promise<void>;
}

/**
 * Starts the embedded Postgres on a directory, making the cluster on the first start, and waits until it accepts
 * connections. A server that an earlier, killed process left running is taken over; on another port it is restarted.
 * The server survives this process: call `stop`.
 * @throws PortTakenError with the holder; PostgresStartError
 */
export async function startPostgres(options: StartPostgresOptions): Promise<RunningPostgres> {
  const log = options.log ?? (() => {});
  await mkdir(options.dataDir, { recursive: true, mode: 0o711 });
  // One name for one directory: a running server is recognised by the path on its command line.
  const paths = clusterPaths(await realpath(options.dataDir));

  const found = runningServer(paths.data);
  if (found !== undefined) {
    if (options.port !== 0 && found.port !== options.port) {
      log(`Postgres runs on port ${found.port}: restarting it on ${options.port}`);
      await stopServer(found.pid, 'fast');
    } else if ((await waitUntilReady(paths, found.pid, undefined)) === 'ready') {
      log(`Postgres is running already (process ${found.pid})`);
      return describe(paths, found.port, found.pid, true);
    }
  }

  if (options.port !== 0) await assertPortFree(options.port, 'Postgres', 'Choose other ports with --port-base.');
  const binaries = await locateBinaries(join(paths.home, 'binaries'));
  const runAs = chooseRunAs(paths.data, binaries.postgres);
  if (!hasCluster(paths)) {
    log('making the database cluster');
    await createCluster(paths, binaries, runAs, options.settings?.fsync !== 'off');
  }
  await removeForeignPidFile(paths.data);

  rotateLog(paths.log);

  const deadline = Date.now() + REFUSED_RETRY_MS;
  for (let portTries = 1; ;) {
    const port = options.port === 0 ? await freePort() : options.port;
    const logFile = openSync(paths.log, 'a', 0o600);
    const logStart = fstatSync(logFile).size;
    const child = spawnAs(runAs, binaries.postgres, serverArgs(paths, port, options.settings), {
      cwd: '/',
      detached: true,
      stdio: ['ignore', logFile, logFile],
      env: serverEnv(),
    });
    closeSync(logFile);
    child.unref();
    const outcome = await waitUntilReady(paths, child.pid, child);
    if (outcome === 'ready' && child.pid !== undefined) {
      log(`Postgres listens on port ${port} (process ${child.pid})`);
      return describe(paths, port, child.pid, false);
    }
    const said = readFileSync(paths.log).subarray(logStart).toString();
    if (/could not bind|could not create any TCP/.test(said)) {
      await assertPortFree(port, 'Postgres', 'Choose other ports with --port-base.');
      if (++portTries <= MAX_PORT_TRIES) continue;
    }
    // Another process was faster with this directory: take its server.
    const other = runningServer(paths.data);
    if (other !== undefined) return startPostgres(options);
    const refused = /lock file|shared memory block/.test(said);
    if (!refused || Date.now() > deadline) {
      throw new PostgresStartError(
        'postgres_failed',
        `Postgres did not start: ${lastLines(said) || 'it said nothing'}`,
        'The whole story is in postgres.log in the data directory.',
      );
    }
    await delay(POLL_MS * 10);
  }
}

/** The server that runs on a cluster's directory now, if any. */
export async function findPostgres(dataDir: string): Promise<{ pid: number; port: number } | undefined> {
  const home = await realpath(dataDir).catch(() => undefined);
  return home === undefined ? undefined : runningServer(clusterPaths(home).data);
}

function serverArgs(paths: ClusterPaths, port: number, settings: Record<string, string> = {}): string[] {
  const all = { ...DEFAULT_SETTINGS, ...settings, listen_addresses: LOOPBACK, unix_socket_directories: '' };
  const args = ['-D', paths.data, '-p', String(port)];
  for (const [name, value] of Object.entries(all)) args.push('-c', `${name}=${value}`);
  return args;
}

/**
 * Waits until the server of that process accepts connections, or is gone. The pid file alone is not enough: a server
 * that was killed this moment still looks alive, and leaves "ready" behind.
 */
async function waitUntilReady(
  paths: ClusterPaths,
  pid: number | undefined,
  child: ChildProcess | undefined,
): Promise<'ready' | 'exited'> {
  let gone = false;
  child?.once('exit', () => (gone = true));
  child?.once('error', () => (gone = true));
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const server = readPidFile(paths.data);
    if (server?.ready && server.pid === pid && (await isListening(server.port))) return 'ready';
    if (gone) return 'exited';
    if (child === undefined && (pid === undefined || !isAlive(pid))) return 'exited';
    await delay(POLL_MS);
  }
  throw new PostgresStartError(
    'postgres_timeout',
    'Postgres did not accept connections in time',
    'See postgres.log in the data directory; a very slow disk or a long recovery after a crash can be the reason.',
  );
}

async function describe(paths: ClusterPaths, port: number, pid: number, reused: boolean): Promise<RunningPostgres> {
  const password = await superuserPassword(paths);
  return {
    url: `postgresql://postgres:${LOCAL_PASSWORD}@${LOOPBACK}:${port}/postgres`,
    superuserUrl: `postgresql://${SUPERUSER}:${password}@${LOOPBACK}:${port}/postgres`,
    port,
    pid,
    reused,
    stop: (mode = 'fast') => stopServer(pid, mode),
  };
}

async function stopServer(pid: number, mode: StopMode): Promise<void> {
  if (!signalProcess(pid, STOP_SIGNALS[mode])) return;
  const escalateAt = Date.now() + STOP_TIMEOUT_MS;
  let escalated = mode === 'immediate';
  while (isAlive(pid)) {
    if (!escalated && Date.now() > escalateAt) {
      escalated = true;
      signalProcess(pid, STOP_SIGNALS.immediate);
    }
    if (Date.now() > escalateAt + STOP_TIMEOUT_MS) {
      signalProcess(pid, 'SIGKILL');
      return;
    }
    await delay(POLL_MS);
  }
}

/** Moves a log that has grown large aside; the one before it is dropped. */
function rotateLog(path: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES) renameSync(path, `${path}.1`);
}

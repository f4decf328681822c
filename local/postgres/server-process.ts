/** The server process of a cluster: starting it, waiting until it is ready, stopping it. */
import type { ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { PostgresStartError } from '../errors.ts';
import { isListening, LOOPBACK } from '../ports.ts';
import { isAlive, signalProcess } from '../processes.ts';
import { serverEnv } from './data-dir.ts';
import type { ClusterPaths } from './data-dir.ts';
import { readPidFile } from './pid-file.ts';
import { spawnAs } from './run-as.ts';
import type { RunAs } from './run-as.ts';

const DEFAULT_SETTINGS: Record<string, string> = {
  wal_level: 'logical',
  // A replication slot without a consumer must not fill the disk.
  max_slot_wal_keep_size: '1GB',
  max_connections: '200',
  max_wal_senders: '20',
  max_replication_slots: '20',
  timezone: 'UTC',
};

/** How long a server may take to accept connections, including crash recovery. */
const START_TIMEOUT_MS = 60_000;
/** Then an immediate stop is requested: a replication client that does not acknowledge would delay the stop for ever. */
const STOP_TIMEOUT_MS = 8_000;
const POLL_MS = 10;

/** How Postgres stops: `smart` waits for clients, `fast` disconnects them, `immediate` skips the shutdown checkpoint. */
export type StopMode = 'smart' | 'fast' | 'immediate';

const STOP_SIGNALS: Record<StopMode, NodeJS.Signals> = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' };

/** A server process that was started. */
export interface ServerProcess {
  child: ChildProcess;
  /** Returns what the server has logged since its start. */
  output(): string;
}

function serverArgs(paths: ClusterPaths, port: number, settings: Record<string, string>): string[] {
  const all = { ...DEFAULT_SETTINGS, ...settings, listen_addresses: LOOPBACK, unix_socket_directories: '' };
  const args = ['-D', paths.data, '-p', String(port)];
  for (const [name, value] of Object.entries(all)) args.push('-c', `${name}=${value}`);
  return args;
}

/** Starts the server of a cluster. It survives this process. */
export function spawnServer(
  paths: ClusterPaths,
  command: { program: string; runAs: RunAs },
  port: number,
  settings: Record<string, string> = {},
): ServerProcess {
  const logFile = openSync(paths.log, 'a', 0o600);
  const logStart = fstatSync(logFile).size;
  const child = spawnAs(command.runAs, command.program, serverArgs(paths, port, settings), {
    cwd: '/',
    detached: true,
    stdio: ['ignore', logFile, logFile],
    env: serverEnv(),
  });
  closeSync(logFile);
  child.unref();
  return { child, output: () => readFileSync(paths.log).subarray(logStart).toString() };
}

/**
 * Waits until the server of a process accepts connections or the process has exited. The pid file alone is not enough: a
 * server that was just killed still seems to run, and its pid file still contains "ready".
 * @param child the process, if this process started it
 * @throws PostgresStartError `postgres_timeout`
 */
export async function waitUntilReady(
  paths: ClusterPaths,
  pid: number | undefined,
  child?: ChildProcess,
): Promise<'ready' | 'exited'> {
  let hasExited = false;
  child?.once('exit', () => (hasExited = true));
  child?.once('error', () => (hasExited = true));
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const server = readPidFile(paths.data);
    if (server?.ready && server.pid === pid && (await isListening(server.port))) return 'ready';
    if (hasExited) return 'exited';
    if (child === undefined && (pid === undefined || !isAlive(pid))) return 'exited';
    await delay(POLL_MS);
  }
  throw new PostgresStartError(
    'postgres_timeout',
    'Postgres did not accept connections in time',
    'See postgres.log in the data directory. A very slow disk or a long crash recovery can be the reason.',
  );
}

/** Stops a server and waits until it has exited. After eight seconds the stop becomes immediate, after sixteen a kill. */
export async function stopServer(pid: number, mode: StopMode): Promise<void> {
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

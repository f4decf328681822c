import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { commandOf, isAlive, isZombie } from '../processes.ts';

/** Content of the pid file of a server. */
export interface RunningServer {
  pid: number;
  port: number;
  ready: boolean;
}

/** Reads `postmaster.pid`; undefined if it does not exist or is incomplete. */
export function readPidFile(data: string): RunningServer | undefined {
  let lines: string[];
  try {
    lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return undefined;
  }
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(lines[3] ?? 0), ready: lines[7]?.trim() === 'ready' };
}

/** Returns the server that runs on a data directory, if there is one. */
export function runningServer(data: string): RunningServer | undefined {
  const server = readPidFile(data);
  if (server === undefined || !isAlive(server.pid)) return undefined;
  return isServerOf(server.pid, data) ? server : undefined;
}

/**
 * Removes a `postmaster.pid` whose id now belongs to a process that is not Postgres, as happens after a reboot: the server
 * would not start. The file of a dead or dying server is kept: Postgres handles that case itself.
 */
export async function removeForeignPidFile(data: string): Promise<void> {
  const server = readPidFile(data);
  if (server === undefined || !isAlive(server.pid) || isZombie(server.pid)) return;
  if (commandOf(server.pid) !== undefined && !isServerOf(server.pid, data))
    await rm(join(data, 'postmaster.pid'), { force: true });
}

function isServerOf(pid: number, data: string): boolean {
  const command = commandOf(pid);
  return command !== undefined && command.includes('postgres') && command.includes(data);
}

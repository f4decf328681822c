import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import { z } from 'zod';

import { ServiceName } from '../schema.ts';
import { AlreadyRunningError } from './errors.ts';
import { writePrivately } from './keys.ts';
import { dataPaths } from './layout.ts';
import type { DataPaths } from './layout.ts';
import { isAlive, signalGroup, startMarkOf } from './processes.ts';

const LEFTOVER_TIMEOUT_MS = 3_000;
const LEFTOVER_POLL_MS = 20;

/** A process, told apart from a later one with the same id. */
const ProcessIdentity = z.object({ pid: z.number().int().positive(), startMark: z.string() });
type ProcessIdentity = z.infer<typeof ProcessIdentity>;

/** What a running stack offers. Holds secrets: the file it is kept in is for this user alone. */
export const StackInfo = z.object({
  pid: z.number().int().positive(),
  startedAt: z.string(),
  dataDir: z.string(),
  apiUrl: z.string(),
  /** As role `postgres`. */
  dbUrl: z.string(),
  /** As role `mashup_worker`: what `mashup worker` takes as DATABASE_URL. */
  workerDbUrl: z.string(),
  /** Null while no studio is built. */
  studioUrl: z.string().nullable(),
  functionsUrl: z.string(),
  anonKey: z.string(),
  serviceRoleKey: z.string(),
  publishableKey: z.string(),
  secretKey: z.string(),
  services: z.record(ServiceName, z.string()),
  /** Process ids of the workers that the stack runs. */
  workers: z.array(z.number().int()),
});
export type StackInfo = z.infer<typeof StackInfo>;

const StateFile = z.object({
  owner: ProcessIdentity,
  ready: z.boolean(),
  info: StackInfo,
  children: z.array(ProcessIdentity.extend({ name: z.string() })),
});
export type StateFile = z.infer<typeof StateFile>;

/** Identity of this process, for files that outlive it. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startMark: startMarkOf(process.pid) ?? '' };
}

/** Identity of another process; undefined if it is gone. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const startMark = startMarkOf(pid);
  return startMark === undefined ? undefined : { pid, startMark };
}

/**
 * What runs on a data directory: undefined when nothing does, when it is still starting, or when the process that
 * wrote the file is dead, whoever has its number now.
 * @param dataDir default: MASHUP_DATA_DIR or `.mashup`
 */
export function readStack(dataDir?: string): StackInfo | undefined {
  const state = readState(dataPaths(dataDir));
  return state !== undefined && state.ready && isSame(state.owner) ? state.info : undefined;
}

/** Writes the state file. */
export async function writeState(paths: DataPaths, state: StateFile): Promise<void> {
  await writePrivately(paths.state, JSON.stringify(state, undefined, 2));
}

/** Removes what says that a stack runs here. */
export async function clearState(paths: DataPaths): Promise<void> {
  await rm(paths.state, { force: true });
  await rm(paths.lock, { force: true });
}

/**
 * Makes this process the only one that runs a stack on the data directory. A lock left by a dead process is taken over.
 * @throws AlreadyRunningError with the URLs of the one that runs
 */
export async function lockDataDir(paths: DataPaths, planned: { apiUrl: string; dbUrl: string }): Promise<void> {
  const draft = `${paths.lock}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify({ ...ownIdentity(), ...planned }), { mode: 0o600 });
  try {
    for (;;) {
      try {
        await link(draft, paths.lock);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = await readLock(paths.lock);
      if (holder !== undefined && isSame(holder)) throw new AlreadyRunningError(holder);
      // Whoever renames it away owns the removal; a lock that another process has set meanwhile is put back.
      const aside = `${paths.lock}.${randomUUID()}`;
      await rename(paths.lock, aside).catch(() => {});
      const moved = await readLock(aside);
      if (moved !== undefined && isSame(moved)) await link(aside, paths.lock).catch(() => {});
      await rm(aside, { force: true });
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Ends the processes that a killed supervisor left behind and waits until their ports are free. Each is known by id and
 * start, so no stranger is hit.
 * @returns the names of what was ended
 */
export async function stopLeftovers(paths: DataPaths): Promise<string[]> {
  const state = readState(paths);
  if (state === undefined || isSame(state.owner)) return [];
  const killed = state.children.filter((child) => isSame(child) && signalGroup(child.pid, 'SIGKILL'));
  const deadline = Date.now() + LEFTOVER_TIMEOUT_MS;
  while (killed.some(isSame) && Date.now() < deadline) await delay(LEFTOVER_POLL_MS);
  return killed.map((child) => child.name);
}

const LockFile = ProcessIdentity.extend({ apiUrl: z.string(), dbUrl: z.string() });

async function readLock(file: string): Promise<z.infer<typeof LockFile> | undefined> {
  try {
    return LockFile.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}

function readState(paths: DataPaths): StateFile | undefined {
  try {
    return StateFile.parse(JSON.parse(readFileSync(paths.state, 'utf8')));
  } catch {
    return undefined;
  }
}

function isSame(identity: ProcessIdentity): boolean {
  return isAlive(identity.pid) && startMarkOf(identity.pid) === identity.startMark;
}

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

/** A process. The start mark tells it apart from a later one with the same id. */
const ProcessIdentity = z.object({ pid: z.number().int().positive(), startMark: z.string() });
type ProcessIdentity = z.infer<typeof ProcessIdentity>;

/** URLs and keys of a running stack. Contains secrets: only this user may read the file. */
export const StackInfo = z.object({
  pid: z.number().int().positive(),
  startedAt: z.string(),
  dataDir: z.string(),
  apiUrl: z.string(),
  /** Connection URL of the role `postgres`. */
  dbUrl: z.string(),
  /** Connection URL of the role `mashup_worker`: the DATABASE_URL of `mashup worker`. */
  workerDbUrl: z.string(),
  /** Null while no studio is built. */
  studioUrl: z.string().nullable(),
  functionsUrl: z.string(),
  anonKey: z.string(),
  serviceRoleKey: z.string(),
  publishableKey: z.string(),
  secretKey: z.string(),
  /** The account that opens the operator page. */
  operator: z.object({ email: z.string(), password: z.string() }),
  services: z.record(ServiceName, z.string()),
  /** Process ids of the workers that the stack runs. */
  workers: z.array(z.number().int()),
});
/** URLs and keys of a running stack. */
export type StackInfo = z.infer<typeof StackInfo>;

const StateFile = z.object({
  owner: ProcessIdentity,
  ready: z.boolean(),
  info: StackInfo,
  children: z.array(ProcessIdentity.extend({ name: z.string() })),
});
/** Content of the state file. */
export type StateFile = z.infer<typeof StateFile>;

/** Returns the identity of this process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startMark: startMarkOf(process.pid) ?? '' };
}

/** Returns the identity of another process; undefined if it has exited. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const startMark = startMarkOf(pid);
  return startMark === undefined ? undefined : { pid, startMark };
}

/**
 * Returns the stack that runs on a data directory; undefined if none does, if it is still starting, or if the process that
 * wrote the state file has exited.
 * @param dataDir default: MASHUP_DATA_DIR or `.mashup`
 */
export function readStack(dataDir?: string): StackInfo | undefined {
  const state = readState(dataPaths(dataDir));
  return state !== undefined && state.ready && isSame(state.owner) ? state.info : undefined;
}

/** Whether a stack runs on a data directory and has started. */
function isReady(paths: DataPaths): boolean {
  const state = readState(paths);
  return state !== undefined && state.ready && isSame(state.owner);
}

/** Writes the state file. */
export async function writeState(paths: DataPaths, state: StateFile): Promise<void> {
  await writePrivately(paths.state, JSON.stringify(state, undefined, 2));
}

/** Removes the state file and the lock. */
export async function clearState(paths: DataPaths): Promise<void> {
  await rm(paths.state, { force: true });
  await rm(paths.lock, { force: true });
}

/**
 * Locks the data directory for this process. The lock of a dead process is taken over.
 * @throws AlreadyRunningError with the URLs of the stack that runs, starts or stops
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
      if (holder !== undefined && isSame(holder)) throw new AlreadyRunningError(holder, isReady(paths));
      // The process that renames the lock may remove it. A lock that another process has set in the meantime is restored.
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
 * Kills the processes that a killed supervisor left behind and waits until they have exited. Each is identified by id and
 * start time, so that no other process is killed.
 * @returns the names of the killed parts
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

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { PostgresStartError } from '../errors.ts';

/** User and group "nobody": it owns no other files, and its number is valid on every Unix. */
const NOBODY = 65534;

/**
 * The identity under which the server runs. Postgres does not run as root. If this process is root, the server runs as
 * `nobody`, or, if `nobody` cannot enter the directories (a checkout below a mode-700 home), as the same user without its
 * privileges, in a user namespace of its own.
 */
export type RunAs = { kind: 'self' } | { kind: 'uid'; uid: number } | { kind: 'namespace' };

/**
 * Chooses the identity. An existing data directory keeps the identity that created it: two users cannot share one.
 * @param dataDir the data directory; it need not exist
 * @param program the server program
 * @throws PostgresStartError `postgres_unreachable` if no identity can read both
 */
export function chooseRunAs(dataDir: string, program: string): RunAs {
  if (process.getuid?.() !== 0) return { kind: 'self' };
  const owner = ownerOf(dataDir);
  if (owner !== undefined && owner !== 0) return { kind: 'uid', uid: owner };
  if (
    owner === undefined &&
    canEveryoneEnter(dirname(resolve(dataDir))) &&
    runsAs(program, { kind: 'uid', uid: NOBODY })
  ) {
    return { kind: 'uid', uid: NOBODY };
  }
  if (process.platform === 'linux' && runsAs(program, { kind: 'namespace' })) return { kind: 'namespace' };
  throw new PostgresStartError(
    'postgres_unreachable',
    'Postgres does not run as root, and the unprivileged user it would run as cannot enter the project or data directory',
    'Run as an ordinary user, or move the project and MASHUP_DATA_DIR to directories that every user may enter (chmod o+x).',
  );
}

/** Spawns a program under an identity. The child's process id is always the program's own. */
export function spawnAs(runAs: RunAs, program: string, args: string[], options: SpawnOptions): ChildProcess {
  const [file, fullArgs, identity] = commandLine(runAs, program, args);
  return spawn(file, fullArgs, { ...options, ...identity });
}

function commandLine(runAs: RunAs, program: string, args: string[]): [string, string[], SpawnOptions] {
  if (runAs.kind === 'namespace') return ['unshare', ['-U', program, ...args], {}];
  if (runAs.kind === 'uid') return [program, args, { uid: runAs.uid, gid: runAs.uid }];
  return [program, args, {}];
}

function runsAs(program: string, runAs: RunAs): boolean {
  const [file, args, identity] = commandLine(runAs, program, ['--version']);
  return spawnSync(file, args, { cwd: '/', stdio: 'ignore', uid: identity.uid, gid: identity.gid }).status === 0;
}

/** Tests whether every user may pass through a directory and all above it. */
function canEveryoneEnter(directory: string): boolean {
  for (let path = directory; ; path = dirname(path)) {
    let mode: number;
    try {
      mode = statSync(path).mode;
    } catch {
      return false;
    }
    if ((mode & 0o001) === 0) return false;
    if (dirname(path) === path) return true;
  }
}

function ownerOf(path: string): number | undefined {
  try {
    return statSync(path).uid;
  } catch {
    return undefined;
  }
}

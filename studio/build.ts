#!/usr/bin/env node
/**
 * Builds the studio into `studio/dist`, or the folder given: `node studio/build.ts [folder]`.
 *
 * The folder is replaced atomically, because two starts may build at once.
 */
import { chmod, mkdtemp, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'vite';

const target = resolve(process.argv[2] ?? join(import.meta.dirname, 'dist'));
const fresh = await mkdtemp(`${target}-`);
const old = `${fresh}-old`;
try {
  await build({
    configFile: join(import.meta.dirname, 'vite.config.ts'),
    logLevel: process.argv[2] === undefined ? 'info' : 'warn',
    build: { outDir: fresh, emptyOutDir: true },
  });
  await chmod(fresh, 0o755);
  await rename(target, old).catch(() => {});
  await rename(fresh, target).catch(async (error: NodeJS.ErrnoException) => {
    // Another build finished first; its files are the same.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
} finally {
  await Promise.all([fresh, old].map((path) => rm(path, { recursive: true, force: true })));
}

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { LocalStackError } from '../errors.ts';
import { PROJECT_ROOT } from '../layout.ts';

const require = createRequire(import.meta.url);

const PACKAGES: Record<string, string> = {
  'darwin-arm64': '@deno/darwin-arm64',
  'darwin-x64': '@deno/darwin-x64',
  'linux-arm64': '@deno/linux-arm64-glibc',
  'linux-x64': '@deno/linux-x64-glibc',
  'win32-arm64': '@deno/win32-arm64',
  'win32-x64': '@deno/win32-x64',
};

/** Folder of the edge functions. */
export const FUNCTIONS_DIR = join(PROJECT_ROOT, 'supabase', 'functions');

/**
 * The Deno program itself. The one in `node_modules/.bin` is a wrapper that leaves its child behind when it is killed.
 * @throws LocalStackError `deno_missing`
 */
export function locateDeno(): string {
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  if (name !== undefined) {
    try {
      const root = dirname(createRequire(require.resolve('deno/package.json')).resolve(`${name}/package.json`));
      const program = join(root, process.platform === 'win32' ? 'deno.exe' : 'deno');
      if (existsSync(program)) return program;
    } catch {
      // Reported below, like a program that is not there.
    }
  }
  throw new LocalStackError(
    'deno_missing',
    `no Deno for ${process.platform}-${process.arch} is installed, and the edge functions run in it`,
    'Run `npm ci` without --omit=optional.',
  );
}

/** Arguments that run the functions: offline, npm packages from node_modules, network to loopback and the services only. */
export function denoArguments(functionsDir: string, port: number, serviceUrls: string[]): string[] {
  const config = ['deno.json', 'deno.jsonc'].map((name) => join(functionsDir, name)).find((path) => existsSync(path));
  const importMap = join(functionsDir, 'import_map.json');
  const hosts = new Set(['127.0.0.1', 'localhost', ...serviceUrls.map((url) => new URL(url).hostname)]);
  return [
    'run',
    ...['--no-prompt', '--no-lock', '--no-check', '--node-modules-dir=manual', '--cached-only'],
    ...(config !== undefined ? [`--config=${config}`] : existsSync(importMap) ? [`--import-map=${importMap}`] : []),
    ...[
      '--allow-env',
      '--allow-sys',
      `--allow-read=${PROJECT_ROOT},${functionsDir}`,
      `--allow-net=${[...hosts].join(',')}`,
    ],
    join(PROJECT_ROOT, 'local', 'functions', 'serve.ts'),
    String(port),
    `${pathToFileURL(functionsDir).href}/`,
  ];
}

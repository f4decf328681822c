/** Finds the Deno program and builds the command line that runs edge functions in it. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);

const PACKAGES: Record<string, string> = {
  'darwin-arm64': '@deno/darwin-arm64',
  'darwin-x64': '@deno/darwin-x64',
  'linux-arm64': '@deno/linux-arm64-glibc',
  'linux-x64': '@deno/linux-x64-glibc',
  'win32-arm64': '@deno/win32-arm64',
  'win32-x64': '@deno/win32-x64',
};

/** No Deno program is installed for this platform. */
export class DenoMissingError extends Error {
  readonly code = 'deno_missing';
  readonly hint = 'Run `npm ci` without --omit=optional.';

  constructor(platform: string) {
    super(`no Deno for ${platform} is installed, and the edge functions run in it`);
    this.name = 'DenoMissingError';
  }
}

/**
 * Returns the path of the Deno program itself. The one in `node_modules/.bin` is a wrapper that leaves its child process
 * running when it is killed.
 * @throws DenoMissingError
 */
export function locateDeno(): string {
  const platform = `${process.platform}-${process.arch}`;
  const name = PACKAGES[platform];
  if (name !== undefined) {
    try {
      const root = dirname(createRequire(require.resolve('deno/package.json')).resolve(`${name}/package.json`));
      const program = join(root, process.platform === 'win32' ? 'deno.exe' : 'deno');
      if (existsSync(program)) return program;
    } catch {
      // A package that is not installed is reported below, like a missing program.
    }
  }
  throw new DenoMissingError(platform);
}

/** What the functions may reach. */
export interface DenoOptions {
  /** Folder of the edge functions. */
  functionsDir: string;
  /** Project root, which holds `node_modules`: readable to the functions. */
  root: string;
  /** Loopback port to listen on. */
  port: number;
  /** Services that the functions may call; their hosts are added to the network permissions. */
  serviceUrls: readonly string[];
}

/** Returns the arguments of Deno: offline, npm packages from `node_modules`, network to loopback and the services only. */
export function denoArguments({ functionsDir, root, port, serviceUrls }: DenoOptions): string[] {
  const config = ['deno.json', 'deno.jsonc'].map((name) => join(functionsDir, name)).find((path) => existsSync(path));
  const importMap = join(functionsDir, 'import_map.json');
  const hosts = new Set(['127.0.0.1', 'localhost', ...serviceUrls.map((url) => new URL(url).hostname)]);
  return [
    'run',
    ...['--no-prompt', '--no-lock', '--no-check', '--node-modules-dir=manual', '--cached-only'],
    ...(config !== undefined ? [`--config=${config}`] : existsSync(importMap) ? [`--import-map=${importMap}`] : []),
    ...['--allow-env', '--allow-sys', `--allow-read=${root},${functionsDir}`, `--allow-net=${[...hosts].join(',')}`],
    join(import.meta.dirname, `serve${extname(import.meta.filename)}`),
    String(port),
    `${pathToFileURL(functionsDir).href}/`,
  ];
}

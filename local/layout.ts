import { existsSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';

import { SERVICE_DEFAULTS, SERVICES } from '../schema.ts';
import type { ServiceName } from '../schema.ts';
import { freePort } from './ports.ts';

/** Root of the checkout; in the published package the folder of the compiled files. */
export const PROJECT_ROOT = resolve(import.meta.dirname, '..');

/** The published package is compiled, because Node does not run TypeScript below `node_modules`. */
const SCRIPT_EXTENSION = extname(import.meta.filename);

/** Returns the path of a script of the engine, which is given with the extension `.ts`. */
export function scriptPath(script: string): string {
  return join(PROJECT_ROOT, script.replace(/\.ts$/, SCRIPT_EXTENSION));
}

/** The folder that holds `node_modules`: the checkout, or the project that the package is installed in. */
export const INSTALL_ROOT = PROJECT_ROOT.replace(/[\\/]node_modules[\\/].*$/, '');

/** Default base of the ports, as in the Supabase CLI: API 54321, database 54322. */
export const DEFAULT_PORT_BASE = 54_320;

/** Paths of one installation. */
export interface DataPaths {
  home: string;
  postgres: string;
  keys: string;
  workerPassword: string;
  operatorPassword: string;
  storage: string;
  /** Installed separation models: MODELS_DIR, otherwise `models` in the data directory. */
  models: string;
  logs: string;
  state: string;
  lock: string;
}

/**
 * Returns the paths below the data directory: `dataDir`, else MASHUP_DATA_DIR, else `.mashup` in the checkout, or in the project
 * that the package is installed in.
 */
export function dataPaths(dataDir?: string): DataPaths {
  const home = resolve(dataDir ?? (process.env.MASHUP_DATA_DIR || join(INSTALL_ROOT, '.mashup')));
  return {
    home,
    postgres: join(home, 'postgres'),
    keys: join(home, 'keys.json'),
    workerPassword: join(home, 'worker-password'),
    operatorPassword: join(home, 'operator-password'),
    storage: join(home, 'storage'),
    models: resolve(process.env.MODELS_DIR || join(home, 'models')),
    logs: join(home, 'logs'),
    state: join(home, 'state.json'),
    lock: join(home, 'stack.lock'),
  };
}

/** The port of each part. */
export interface Ports {
  gateway: number;
  database: number;
  functions: number;
  services: Record<ServiceName, number>;
}

/**
 * Assigns ports from a base: gateway +1, database +2, functions +4. Built-in services have their own defaults 8000 to 8004, or
 * +10 to +14 if the base is not the default. Base 0 selects free ports (tests).
 */
export async function layOutPorts(base: number): Promise<Ports> {
  const assigned = new Set<number>();
  const port = async (offset: number): Promise<number> => {
    if (base !== 0) return base + offset;
    for (;;) {
      const free = await freePort();
      if (!assigned.has(free)) {
        assigned.add(free);
        return free;
      }
    }
  };
  const ports: Ports = {
    gateway: await port(1),
    database: await port(2),
    functions: await port(4),
    services: { analysis: 0, processing: 0, scoring: 0, orchestrator: 0, separation: 0 },
  };
  for (const [index, service] of SERVICES.entries()) {
    ports.services[service] = base === DEFAULT_PORT_BASE ? SERVICE_DEFAULTS[service].port : await port(10 + index);
  }
  return ports;
}

/** Where Node keeps compiled code between starts: a process starts in half the time. Without write access Node does without it. */
export const COMPILE_CACHE = join(PROJECT_ROOT, 'node_modules', '.cache', 'compile');

/** Directory of the built studio. */
export const STUDIO_DIST = join(PROJECT_ROOT, 'studio', 'dist');

/** Returns the directory of the built studio; undefined if it is not built. */
export function studioDir(): string | undefined {
  return existsSync(join(STUDIO_DIST, 'index.html')) ? STUDIO_DIST : undefined;
}

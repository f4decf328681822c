import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { SERVICE_DEFAULTS, SERVICES } from '../schema.ts';
import type { ServiceName } from '../schema.ts';
import { freePort } from './ports.ts';

/** The checkout. */
export const PROJECT_ROOT = resolve(import.meta.dirname, '..');

/** Ports are counted from here, as the Supabase CLI has them: API 54321, database 54322. */
export const DEFAULT_PORT_BASE = 54_320;

/** Where things of one installation lie. */
export interface DataPaths {
  home: string;
  postgres: string;
  keys: string;
  workerPassword: string;
  storage: string;
  logs: string;
  state: string;
  lock: string;
}

/** The data directory: as given, else MASHUP_DATA_DIR, else `.mashup` in the checkout. */
export function dataPaths(dataDir?: string): DataPaths {
  const home = resolve(dataDir ?? (process.env.MASHUP_DATA_DIR || join(PROJECT_ROOT, '.mashup')));
  return {
    home,
    postgres: join(home, 'postgres'),
    keys: join(home, 'keys.json'),
    workerPassword: join(home, 'worker-password'),
    storage: join(home, 'storage'),
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
 * Ports from a base: gateway +1, database +2, functions +4, built-in services on their own defaults 8000 to 8004, or on
 * +10 to +14 when the base is another than the default. Base 0 takes free ports (tests).
 */
export async function layOutPorts(base: number): Promise<Ports> {
  const given = new Set<number>();
  const port = async (offset: number): Promise<number> => {
    if (base !== 0) return base + offset;
    for (;;) {
      const free = await freePort();
      if (!given.has(free)) {
        given.add(free);
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

/** Where the built studio lies. */
export const STUDIO_DIST = join(PROJECT_ROOT, 'studio', 'dist');

/** The built studio, if there is one. */
export function studioDir(): string | undefined {
  return existsSync(join(STUDIO_DIST, 'index.html')) ? STUDIO_DIST : undefined;
}

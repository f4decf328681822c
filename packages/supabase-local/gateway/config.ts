/** Settings of the gateway, from the environment. */
import { z } from 'zod';
import type { Keys } from './keys.ts';

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

/** Environment variables that `main.ts` reads. */
export const Environment = z.object({
  SUPABASE_LOCAL_HOST: z
    .string()
    .default('127.0.0.1')
    .refine((host) => LOOPBACK.includes(host), {
      error: 'the gateway listens on loopback only: use 127.0.0.1, ::1 or localhost',
    }),
  SUPABASE_LOCAL_PORT: z.coerce.number().int().min(0).max(65535).default(54321),
  SUPABASE_LOCAL_DB_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  SUPABASE_LOCAL_KEYS_FILE: z.string().min(1),
  SUPABASE_LOCAL_STORAGE_DIR: z.string().min(1),
  SUPABASE_LOCAL_FUNCTIONS_URL: z.url({ protocol: /^http$/ }).optional(),
  SUPABASE_LOCAL_SITE_DIR: z.string().min(1).optional(),
  SUPABASE_LOCAL_EXIT_WITH_PARENT: z.enum(['0', '1']).default('0'),
});

/** Options of `startGateway`. */
export interface GatewayConfig {
  /** Loopback name or address; default 127.0.0.1. */
  host?: string;
  /** 0 selects a free port. */
  port: number;
  /** Connection URL of a superuser: each transaction takes the role of its caller. */
  dbUrl: string;
  keys: Keys;
  /** Directory of the bytes of Storage objects. */
  storageDir: string;
  /** URL of the Deno runner, e.g. `http://127.0.0.1:54324`. Without it every function returns 503. */
  functionsUrl?: string;
  /** Directory of a static site to serve at `/`. */
  siteDir?: string;
  /** Lifetime of an access token in seconds; default 3600. */
  tokenSeconds?: number;
}

/** A configuration with which the gateway does not start. */
class GatewayConfigError extends Error {
  readonly code = 'gateway_config';
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.name = 'GatewayConfigError';
    this.hint = hint;
  }
}

/**
 * Returns the host if it is a loopback name or address.
 * @throws GatewayConfigError for a host that other machines could reach
 */
export function requireLoopback(host: string): string {
  if (LOOPBACK.includes(host)) return host;
  throw new GatewayConfigError(
    'The gateway listens on loopback only',
    'Set SUPABASE_LOCAL_HOST to 127.0.0.1, ::1 or localhost. To serve other machines, use Supabase itself.',
  );
}

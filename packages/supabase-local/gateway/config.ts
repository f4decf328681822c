/** Settings of the gateway, from the environment. */
import { z } from 'zod';
import type { Keys } from './keys.ts';
import type { SitePages, SitePagesSettings } from './site-pages.ts';

/** Global limit of hosted projects, in bytes, until it is raised in their Storage settings. */
export const DEFAULT_FILE_SIZE_LIMIT = 50 * 1024 * 1024;

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

/** Environment variables that `main.ts` reads. */
export const GatewayEnvironment = z.object({
  SUPABASE_LOCAL_HOST: z
    .string()
    .default('127.0.0.1')
    .refine((host) => LOOPBACK.includes(host), {
      error: 'the gateway listens on loopback only: use 127.0.0.1, ::1 or localhost',
    })
    .describe('Address to listen on: `127.0.0.1`, `::1` or `localhost`.'),
  SUPABASE_LOCAL_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .default(54321)
    .describe('Port to listen on. 0 takes any free port.'),
  SUPABASE_LOCAL_DB_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .describe(
      "The database, as a superuser. Each request sets its caller's role, claims and statement timeout in its transaction.",
    ),
  SUPABASE_LOCAL_KEYS_FILE: z
    .string()
    .min(1)
    .describe(
      'JSON file with `jwtSecret`, `signingKey` (private ES256 JWK with `kid`), `anonKey`, `serviceRoleKey`, `publishableKey` and `secretKey`. `makeKeys()` of `gateway/keys.ts` generates it.',
    ),
  SUPABASE_LOCAL_STORAGE_DIR: z
    .string()
    .min(1)
    .describe('Directory for the bytes of Storage objects, under random names.'),
  SUPABASE_LOCAL_FILE_SIZE_LIMIT: z.coerce
    .number()
    .int()
    .positive()
    .default(DEFAULT_FILE_SIZE_LIMIT)
    .describe('Size of the largest object of any bucket, in bytes. The default is that of hosted projects.'),
  SUPABASE_LOCAL_FUNCTIONS_URL: z
    .url({ protocol: /^http$/ })
    .optional()
    .describe(
      'The Deno runner. `/functions/v1/<name>…` is forwarded to it as `/<name>…`. Without it functions return 503.',
    ),
  SUPABASE_LOCAL_SITE_DIR: z.string().min(1).optional().describe('Directory of a static site, served at `/`.'),
  SUPABASE_LOCAL_SITE_PAGES: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Module of pages that are made for each request. Its default export gets `{url, anonKey}` and returns `(request: Request) => Promise<Response | null>`; null leaves the request to the static site.',
    ),
  SUPABASE_LOCAL_ANONYMOUS_USERS: z
    .enum(['0', '1'])
    .default('1')
    .describe('`0`: refuse anonymous sign-ins, as a new hosted project does.'),
  SUPABASE_LOCAL_EXIT_WITH_PARENT: z.enum(['0', '1']).default('0').describe('`1`: end when standard input closes.'),
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
  /** Size of the largest object of any bucket, in bytes; default {@link DEFAULT_FILE_SIZE_LIMIT}. */
  fileSizeLimit?: number;
  /** URL of the Deno runner, e.g. `http://127.0.0.1:54324`. Without it every function returns 503. */
  functionsUrl?: string;
  /** Directory of a static site to serve at `/`. */
  siteDir?: string;
  /** Makes the pages of the site that are made for each request. */
  makePages?: (settings: SitePagesSettings) => SitePages;
  /** Lifetime of an access token in seconds; default 3600. */
  tokenSeconds?: number;
  /** Lifetime of a signed upload URL in seconds; default 7200, as on hosted Supabase. Self-hosted Storage: 60. */
  uploadUrlSeconds?: number;
  /** Whether anonymous sign-ins are allowed; default true. New hosted projects refuse them. */
  anonymousUsers?: boolean;
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

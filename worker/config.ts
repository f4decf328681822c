/** Configuration of the worker, from environment variables. */
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { SERVICE_DEFAULTS, SERVICES, serviceToken } from '../schema.ts';
import type { ServiceName } from '../schema.ts';
import { WorkerStartError } from './errors.ts';
import type { MonitoringAddress } from './monitoring/server.ts';
import type { Webhook } from './outgoing-events.ts';

/** Tasks that a worker runs at a time, unless WORKER_CONCURRENCY is set. */
export const DEFAULT_CONCURRENCY = 4;
/** Processors from which on openings are rendered, unless OPENING_MIN_PROCESSORS is set. */
const OPENING_MIN_PROCESSORS = 4;

const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });

const serviceUrl = (service: ServiceName): z.ZodOptional<z.ZodURL> =>
  httpUrl
    .optional()
    .describe(
      `Base URL of the ${service} service; it may contain a path. Without it: http://127.0.0.1:${SERVICE_DEFAULTS[service].port}, where \`mashup services\` starts the built-in one.`,
    );

const token = (description: string): z.ZodOptional<z.ZodString> =>
  z
    .string()
    .regex(/^[\w.~+/=-]+$/, { error: 'must consist of letters, digits and . _ ~ + / = -' })
    .optional()
    .describe(description);
const ownToken = (service: ServiceName): z.ZodOptional<z.ZodString> =>
  token(`Token of the ${service} service, sent in place of SERVICES_TOKEN. \`none\`: no token is sent.`);

/** Environment variables of the worker process. */
export const WorkerEnvironment = z.object({
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL of role mashup_worker' })
    .describe('The database, as role `mashup_worker`: a direct connection or the session pooler.'),
  SUPABASE_URL: httpUrl.describe('URL of the Supabase project, for Storage.'),
  SUPABASE_SECRET_KEY: z
    .string()
    .regex(/^(?!sb_publishable_)/, { error: 'is a publishable key; the worker needs a secret key' })
    .optional()
    .describe('Secret key of the project (`sb_secret_…`), for Storage.'),
  SUPABASE_SERVICE_ROLE_KEY: z
    .string()
    .optional()
    .describe('The service role key of projects without secret keys. One of the two keys is required.'),
  ANALYSIS_API_URL: serviceUrl('analysis'),
  PROCESSING_API_URL: serviceUrl('processing'),
  SCORING_API_URL: serviceUrl('scoring'),
  ORCHESTRATOR_API_URL: serviceUrl('orchestrator'),
  SEPARATION_API_URL: serviceUrl('separation'),
  SERVICES_TOKEN: token('Token of the services, sent to them as `Authorization: Bearer …`.'),
  ANALYSIS_API_TOKEN: ownToken('analysis'),
  PROCESSING_API_TOKEN: ownToken('processing'),
  SCORING_API_TOKEN: ownToken('scoring'),
  ORCHESTRATOR_API_TOKEN: ownToken('orchestrator'),
  SEPARATION_API_TOKEN: ownToken('separation'),
  WORKER_CONCURRENCY: z.coerce
    .number()
    .int()
    .min(1)
    .max(100)
    .default(DEFAULT_CONCURRENCY)
    .describe('Tasks that the worker runs at the same time.'),
  OPENING_MIN_PROCESSORS: z.coerce
    .number()
    .int()
    .min(1)
    .max(1024)
    .default(OPENING_MIN_PROCESSORS)
    .describe(
      'The opening of a mashup is rendered while the rest of its songs is separated if the machine of the worker has at least so many processors: with two the sound comes two seconds earlier and the file four seconds later. Set 1 if the services run elsewhere.',
    ),
  MASHUP_WEBHOOK_URL: httpUrl
    .optional()
    .describe(
      'Where to POST an event when a job ends. Without it events are only notified on channel `mashup_events`.',
    ),
  MASHUP_WEBHOOK_SECRET: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, { error: 'must be whsec_ and at least 24 bytes in base64' })
    .optional()
    .describe(
      'Key that signs the events: `whsec_` and at least 24 random bytes in base64. Required with MASHUP_WEBHOOK_URL.',
    ),
  WORKER_HTTP_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe('Port for monitoring: `/healthz`, `/readyz`, `/metrics`. Without it the worker opens no port.'),
  WORKER_HTTP_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Address to listen on for monitoring. The port has no authentication: open it to your own network only.'),
  WORKER_LOG: z.enum(['json', 'text']).default('json').describe('Format of the log lines on standard error.'),
});

export interface WorkerConfig {
  /** Direct connection or session pooler, as role `mashup_worker`. */
  databaseUrl: string;
  supabaseUrl: string;
  /** A secret key, or the key of the service role. */
  serviceRoleKey: string;
  /** Base URL of each service; may contain a path. */
  serviceUrls: Record<ServiceName, string>;
  /** Services whose URL is not set. They are expected at their default addresses when the worker starts. */
  defaultServices?: ServiceName[];
  /** Token of each service that requires one. */
  serviceTokens?: Partial<Record<ServiceName, string>>;
  /** Tasks at a time; default {@link DEFAULT_CONCURRENCY}. */
  concurrency?: number;
  /** Whether openings are rendered while songs are separated; default true. */
  rendersOpenings?: boolean;
  /** Receives an event when a job ends. */
  webhook?: Webhook;
  /** Where to listen for monitoring; without it no port is opened. */
  monitoring?: MonitoringAddress;
  logFormat?: 'json' | 'text';
  /** Receives log lines; default: stderr. */
  write?: (line: string) => void;
  /** Overrides of {@link DEFAULT_LIMITS}, for tests. */
  limits?: Partial<WorkerLimits>;
}

/** Time limits in milliseconds. */
export interface WorkerLimits {
  /** Limit of a scoring call. Other calls are limited only by the time limit of their task. */
  scoreTimeoutMs: number;
  /** Interval between checks for due deletions of Storage objects. */
  deletionIntervalMs: number;
  /** Interval between requests for the models of the separation service. */
  modelsIntervalMs: number;
  /** How often this worker asks which services are due for a check. */
  servicesIntervalMs: number;
  /** Time without a response after which a database connection counts as lost. */
  answerTimeoutMs: number;
}

/** Time limits unless configured otherwise. */
export const DEFAULT_LIMITS: WorkerLimits = {
  scoreTimeoutMs: 30_000,
  deletionIntervalMs: 5_000,
  modelsIntervalMs: 5_000,
  servicesIntervalMs: 2_000,
  answerTimeoutMs: 25_000,
};

/**
 * Reads the configuration.
 * @throws WorkerStartError that names each missing or invalid variable
 */
export function readConfig(environment: NodeJS.ProcessEnv): WorkerConfig {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = WorkerEnvironment.safeParse(given);
  const key = given['SUPABASE_SECRET_KEY'] ?? given['SUPABASE_SERVICE_ROLE_KEY'];
  if (!parsed.success || key === undefined) {
    const faults = (parsed.error?.issues ?? []).map((issue) => {
      const name = issue.path.join('.');
      return `${name} ${given[name] === undefined ? 'is missing' : issue.message}`;
    });
    if (key === undefined) faults.push('SUPABASE_SECRET_KEY (or SUPABASE_SERVICE_ROLE_KEY) is missing');
    throw new WorkerStartError(
      'bad_configuration',
      faults.join('; '),
      'Set these environment variables; `mashup status --json` prints them for a local stack.',
    );
  }
  const env = parsed.data;
  if (env.MASHUP_WEBHOOK_URL !== undefined && env.MASHUP_WEBHOOK_SECRET === undefined) {
    throw new WorkerStartError(
      'bad_configuration',
      'MASHUP_WEBHOOK_SECRET is missing, and MASHUP_WEBHOOK_URL is set',
      'Set it to the output of: echo "whsec_$(openssl rand -base64 32)"',
    );
  }
  const serviceUrls = {} as Record<ServiceName, string>;
  const serviceTokens: Partial<Record<ServiceName, string>> = {};
  for (const service of SERVICES) {
    serviceUrls[service] = urlOf(service, env);
    serviceTokens[service] = serviceToken(service, env);
  }
  return {
    databaseUrl: env.DATABASE_URL,
    supabaseUrl: env.SUPABASE_URL,
    serviceRoleKey: key,
    serviceUrls,
    defaultServices: SERVICES.filter((service) => given[SERVICE_DEFAULTS[service].urlVariable] === undefined),
    serviceTokens,
    concurrency: env.WORKER_CONCURRENCY,
    rendersOpenings: availableParallelism() >= env.OPENING_MIN_PROCESSORS,
    logFormat: env.WORKER_LOG,
    ...(env.WORKER_HTTP_PORT !== undefined
      ? { monitoring: { host: env.WORKER_HTTP_HOST, port: env.WORKER_HTTP_PORT } }
      : {}),
    ...(env.MASHUP_WEBHOOK_URL !== undefined && env.MASHUP_WEBHOOK_SECRET !== undefined
      ? { webhook: { url: env.MASHUP_WEBHOOK_URL, secret: env.MASHUP_WEBHOOK_SECRET } }
      : {}),
  };
}

function urlOf(service: ServiceName, env: z.infer<typeof WorkerEnvironment>): string {
  const { port, urlVariable } = SERVICE_DEFAULTS[service];
  const given = env[urlVariable as keyof typeof env];
  return typeof given === 'string' ? given : `http://127.0.0.1:${port}`;
}

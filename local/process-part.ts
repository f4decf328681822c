/** Processes of this project as parts that are supervised. */
import { resolve } from 'node:path';
import { SERVICES, tokenVariable } from '../schema.ts';
import type { ServiceName } from '../schema.ts';
import { COMPILE_CACHE, PROJECT_ROOT, scriptPath } from './layout.ts';
import { LOOPBACK } from './ports.ts';
import { isHttpReady } from './supervisor/http-ready.ts';
import type { PartSpec } from './supervisor/supervise.ts';

/** Secret variables. Each part gets only those that it needs. */
const SECRET_VARIABLES = [
  'ANTHROPIC_API_KEY',
  'SUPABASE_SERVICE_ROLE_KEY',
  'SUPABASE_SECRET_KEY',
  'DATABASE_URL',
  'SERVICES_TOKEN',
  ...SERVICES.map(tokenVariable),
];
/** Addresses on which a server listens on all interfaces. */
const ANY_HOST: ReadonlySet<string> = new Set(['0.0.0.0', '::', '']);
const SERVER_ERROR = 500;

/**
 * How the C library of Linux allocates in audio services. By default it keeps what threads freed, in a heap of each thread, and takes ever
 * larger blocks from these heaps: services kept most of the memory of their largest request. With a fixed threshold every large buffer is
 * returned to the system as soon as it is freed. Other C libraries ignore the variables. deploy/Dockerfile has the same values.
 */
export const SERVICE_MALLOC = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
};

/** Preloaded into a process that must end with its parent. Its standard input must be a pipe of the parent. */
export const EXIT_WITH_PARENT = scriptPath('local/supervisor/exit-with-parent.ts');

/** Returns the environment of this process without secrets, with the given variables added or removed (undefined). */
export function withoutSecrets(given: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const name of SECRET_VARIABLES) delete env[name];
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) delete env[name];
    else env[name] = value;
  }
  return env;
}

/** Returns the spec of a Node process that runs a file of this project. `env` is added to the environment without secrets. */
export function nodePart(
  part: Pick<PartSpec, 'name' | 'logFile' | 'isReady' | 'stopTimeoutMs' | 'failureHint'> & {
    /** The file, from the root of the project. */
    entry: string;
    env: NodeJS.ProcessEnv;
  },
): PartSpec {
  const { entry, env, ...spec } = part;
  return {
    ...spec,
    command: process.execPath,
    args: ['--import', EXIT_WITH_PARENT, scriptPath(entry)],
    env: withoutSecrets({ NODE_COMPILE_CACHE: COMPILE_CACHE, ...env }),
    cwd: PROJECT_ROOT,
  };
}

/** URL at which a service that listens on `host` and `port` is reached from this machine. */
export function localUrl(host: string, port: number): string {
  const reached = ANY_HOST.has(host) ? LOOPBACK : host;
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
}

/** Paths are relative to the folder of this process, and the service runs in that of the project. */
function modelEnvironment(modelsDir: string): NodeJS.ProcessEnv {
  const { SEPARATION_MODEL: model } = process.env;
  return { MODELS_DIR: modelsDir, SEPARATION_MODEL: model?.endsWith('.onnx') ? resolve(model) : model };
}

/**
 * Returns the spec of a built-in service. Services have no database connection and no key of the project. The orchestrator has
 * the Anthropic API key.
 * @param options.modelsDir folder of installed models, for the separation service
 * @param options.supabaseUrl the project whose files it transfers. Default: SUPABASE_URL of this process
 */
export function servicePart(options: {
  service: ServiceName;
  host: string;
  port: number;
  logFile: PartSpec['logFile'];
  modelsDir: string;
  failureHint?: string;
  supabaseUrl?: string;
}): PartSpec {
  const { service, host, port, logFile, modelsDir, failureHint, supabaseUrl = process.env.SUPABASE_URL } = options;
  return nodePart({
    name: service,
    entry: `services/${service}/main.ts`,
    env: {
      ...SERVICE_MALLOC,
      PORT: String(port),
      HOST: host,
      SUPABASE_URL: supabaseUrl,
      SERVICES_TOKEN: process.env.SERVICES_TOKEN,
      ...(service === 'separation' ? modelEnvironment(modelsDir) : {}),
      ANTHROPIC_API_KEY: service === 'orchestrator' ? process.env.ANTHROPIC_API_KEY : undefined,
    },
    logFile,
    failureHint,
    // A service that asks for a token answers as well.
    isReady: () => isHttpReady(`${localUrl(host, port)}/health`, (status) => status < SERVER_ERROR),
  });
}

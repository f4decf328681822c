/** The existing services in a checkout of their repository, in a virtual environment of their own requirements. */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { access, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { SERVICES } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';

/** Folder of each service. */
const FOLDERS: Record<ServiceName, string> = {
  analysis: 'audio_analysis_service',
  processing: 'audio_processing_service',
  scoring: 'mashability_scoring_service',
  orchestrator: 'mashup_orchestrator_service',
  separation: 'stem_separation_service',
};

/** Torch with its libraries is several gigabytes. */
const INSTALL_TIMEOUT_MS = 3_600_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
/** A service imports its libraries first. */
const START_TIMEOUT_MS = 180_000;
const POLL_MS = 200;
const LAST_LINES = 6;

const run = promisify(execFile);

/** How the requirements of a service could be installed. */
export interface Installation {
  isInstalled: boolean;
  /** Requirements whose version limits pip found to be in conflict, as they stand. They were installed without limits. */
  loosened: string[];
  /** What pip said at the first conflict, and at the end if nothing could be installed. */
  refusals: string[];
}

/** A virtual environment. */
export interface VirtualEnvironment {
  python: string;
  /** Version of Python. */
  version: string;
}

/** Returns the services that a checkout has. */
export async function findServices(checkout: string): Promise<ServiceName[]> {
  const found: ServiceName[] = [];
  for (const service of SERVICES) if (await exists(join(checkout, FOLDERS[service], 'main.py'))) found.push(service);
  return found;
}

/** Creates a virtual environment, or uses the one that is there. */
export async function openEnvironment(folder: string): Promise<VirtualEnvironment> {
  const python = join(folder, 'bin', 'python');
  if (!(await exists(python))) {
    await mkdir(folder, { recursive: true });
    await run('python3', ['-m', 'venv', folder]);
  }
  const { stdout } = await run(python, ['--version']);
  return { python, version: stdout.trim().replace(/^Python /, '') };
}

/**
 * Installs the requirements of a service, as they stand if possible. Where pip says that the limits of a requirement conflict with
 * another, those limits are removed, one requirement at a time.
 */
export async function installService(
  environment: VirtualEnvironment,
  checkout: string,
  service: ServiceName,
): Promise<Installation> {
  const own = join(checkout, FOLDERS[service], 'requirements.txt');
  let requirements = await readRequirements((await exists(own)) ? own : join(checkout, 'requirements.txt'));
  const loosened: string[] = [];
  const refusals: string[] = [];
  for (;;) {
    const output = await pip(environment, ['install', ...requirements]);
    if (output === undefined) return { isInstalled: true, loosened, refusals };
    const conflict = conflictOf(output);
    if (loosened.length === 0 || conflict === undefined) refusals.push(conflict ?? errorOf(output));
    const named = requirements.find((one) => hasLimits(one) && conflict?.includes(`requested ${one}`));
    if (named === undefined) return { isInstalled: false, loosened, refusals };
    loosened.push(named);
    requirements = requirements.map((one) => (one === named ? nameOf(one) : one));
  }
}

const hasLimits = (requirement: string): boolean => /[<>=!~]/.test(requirement);
const nameOf = (requirement: string): string => requirement.replace(/[<>=!~;\s[].*/, '');

/** Runs pip. Returns what it printed if it failed, or undefined. */
async function pip({ python }: VirtualEnvironment, args: string[]): Promise<string | undefined> {
  try {
    const options = { timeout: INSTALL_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES };
    await run(python, ['-m', 'pip', '--disable-pip-version-check', ...args], options);
    return undefined;
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as { stdout?: string; stderr?: string; message: string };
    return `${stdout}\n${stderr}` || message;
  }
}

/** The requirements that pip finds in conflict, in its own words. */
function conflictOf(output: string): string | undefined {
  const [, lines] = /The conflict is caused by:\n([^]*?)\n\s*\n/.exec(output) ?? [];
  return lines
    ?.split('\n')
    .map((line) => line.trim())
    .join('; ');
}

function errorOf(output: string): string {
  return /^ERROR: (.*)$/m.exec(output)?.[1] ?? 'pip failed without an error';
}

/** The requirements of a file and of those that it includes, as they stand. */
async function readRequirements(file: string): Promise<string[]> {
  const found: string[] = [];
  for (const line of (await readFile(file, 'utf8')).split('\n')) {
    const text = line.replace(/#.*/, '').trim();
    const [, included] = /^-r\s+(.*)$/.exec(text) ?? [];
    if (included !== undefined) found.push(...(await readRequirements(join(dirname(file), included))));
    else if (/^[\w.-]/.test(text)) found.push(text);
  }
  return [...new Set(found)];
}

/** The versions of installed packages. */
export async function installedVersions({ python }: VirtualEnvironment, names: string[]): Promise<string[]> {
  const { stdout } = await run(python, ['-m', 'pip', '--disable-pip-version-check', 'list', '--format=freeze']);
  const lines = stdout.split('\n').map((line) => line.trim());
  return names.flatMap((name) => lines.filter((line) => line.toLowerCase().startsWith(`${name}==`)));
}

/** A service that was started. */
export interface RunningService {
  url: string;
  /** What it said at its end, if it did not start. */
  failure?: string;
  stop(): void;
}

/** Starts a service and waits until it answers. */
export async function startService(
  { python }: VirtualEnvironment,
  checkout: string,
  service: ServiceName,
  { port, env }: { port: number; env: NodeJS.ProcessEnv },
): Promise<RunningService> {
  const cwd = join(checkout, FOLDERS[service]);
  // As the Dockerfiles of the services start them.
  const child = spawn(python, ['-m', 'uvicorn', 'main:app', '--host', '127.0.0.1', '--port', String(port)], {
    cwd,
    env: { ...process.env, ...env, PYTHONPATH: checkout, PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-20_000)));
  const url = `http://127.0.0.1:${port}`;
  const failure = await waitUntilUp(child, url);
  const words = (): string => output.trim().split('\n').slice(-LAST_LINES).join(' | ');
  return {
    url,
    ...(failure === undefined ? {} : { failure: words() || failure }),
    stop: () => void child.kill('SIGKILL'),
  };
}

async function waitUntilUp(child: ChildProcess, url: string): Promise<string | undefined> {
  const end = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < end) {
    if (child.exitCode !== null) return `it ended with code ${child.exitCode}`;
    const response = await fetch(`${url}/openapi.json`).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok === true) return undefined;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return `it did not answer within ${START_TIMEOUT_MS / 1000} s`;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

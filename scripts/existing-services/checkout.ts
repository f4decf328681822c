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
  outcome: 'as they stand' | 'without version limits' | 'not installable';
  /** What pip said against the requirements as they stand. */
  refusal?: string;
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

/** Installs the requirements of a service: as they stand, otherwise the same packages without version limits. */
export async function installService(
  environment: VirtualEnvironment,
  checkout: string,
  service: ServiceName,
): Promise<Installation> {
  const own = join(checkout, FOLDERS[service], 'requirements.txt');
  const file = (await exists(own)) ? own : join(checkout, 'requirements.txt');
  const refusal = await pip(environment, ['install', '-r', file]);
  if (refusal === undefined) return { outcome: 'as they stand' };
  const second = await pip(environment, ['install', ...(await packageNames(file))]);
  return second === undefined
    ? { outcome: 'without version limits', refusal }
    : { outcome: 'not installable', refusal: `${refusal} Without version limits: ${second}` };
}

/** Runs pip. Returns its error, or undefined. */
async function pip({ python }: VirtualEnvironment, args: string[]): Promise<string | undefined> {
  try {
    const options = { timeout: INSTALL_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES };
    await run(python, ['-m', 'pip', '--disable-pip-version-check', '--quiet', ...args], options);
    return undefined;
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string };
    return errorOf(stderr) || message;
  }
}

/** The packages that a conflict names, or the first error of pip. */
function errorOf(stderr: string): string {
  const conflict = /The conflict is caused by:\n([^]*?)\n\s*\n/.exec(stderr)?.[1];
  if (conflict !== undefined)
    return conflict
      .split('\n')
      .map((line) => line.trim())
      .join('; ');
  return /^ERROR: (.*)$/m.exec(stderr)?.[1] ?? '';
}

/** The names of the packages of a requirements file and of those that it includes. */
async function packageNames(file: string): Promise<string[]> {
  const names = new Set<string>();
  for (const line of (await readFile(file, 'utf8')).split('\n')) {
    const text = line.replace(/#.*/, '').trim();
    const [, included] = /^-r\s+(.*)$/.exec(text) ?? [];
    if (included !== undefined) for (const name of await packageNames(join(dirname(file), included))) names.add(name);
    else if (/^[\w.-]/.test(text)) names.add(text.replace(/[<>=!~;\s[].*/, ''));
  }
  return [...names];
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
  const child = spawn(python, ['main.py'], {
    cwd,
    env: { ...process.env, ...env, PORT: String(port), PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' },
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

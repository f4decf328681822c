/** Runs the image that build-root.ts has built, as a container engine would: as its user, as process 1 of its own namespaces. */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { rootArguments } from './build-root.ts';
import type { BuiltRoot } from './build-root.ts';

const run = promisify(execFile);

/** A running container. Its network is the host's. */
export interface Container {
  /** Process id of its process 1, as the host has it. */
  pid: number;
  /** Lines of its log. */
  log: string[];
  /** Resolves with its exit code. */
  exited: Promise<number | null>;
  /** Sends a signal to process 1. */
  kill(signal: NodeJS.Signals): void;
}

/** Starts a command in the root. @param command default: that of the image */
export async function startContainer(
  built: BuiltRoot,
  variables: Record<string, string>,
  command = built.config.command,
): Promise<Container> {
  const environment = { ...built.environment, ...variables };
  const started = [...built.config.entrypoint, ...command];
  const child = spawn('unshare', rootArguments({ ...built, environment }, started, built.config.user), {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => log.push(...text.trim().split('\n')));
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const pid = await firstChild(child, exited, log);
  return { pid, log, exited, kill: (signal) => process.kill(pid, signal) };
}

/** Runs the health check of the image beside a container. Returns its exit code. */
export async function checkHealth(built: BuiltRoot, variables: Record<string, string>): Promise<number> {
  const environment = { ...built.environment, ...variables };
  const command = built.config.healthcheck ?? [];
  return run('unshare', rootArguments({ ...built, environment }, command, built.config.user)).then(
    () => 0,
    (error: { code: number }) => error.code,
  );
}

async function firstChild(child: ChildProcess, exited: Promise<number | null>, log: string[]): Promise<number> {
  let code: number | null | undefined;
  void exited.then((value) => (code = value));
  while (code === undefined) {
    const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').catch(() => '');
    if (children.trim() !== '') return Number(children.trim().split(' ')[0]);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`The container ended with ${code}: ${log.join('\n')}`);
}

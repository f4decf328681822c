/** Parts of a benchmark as separate processes, so that they do not share the event loop of the measurement. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const Ready = z.looseObject({ port: z.number() });
const ROOT = join(import.meta.dirname, '..');

/** Starts a TypeScript file of the project or of another checkout. With BENCH_LOG set, its standard error is printed. */
export function start(file: string, env: Record<string, string>, root = ROOT): ChildProcess {
  return spawn(process.execPath, [join(root, file)], {
    stdio: ['ignore', 'pipe', process.env['BENCH_LOG'] ? 'inherit' : 'ignore'],
    env: { ...process.env, ...env },
  });
}

/** Waits for the line of JSON that a server prints when it is ready, and returns its port. */
export async function portOf(child: ChildProcess): Promise<number> {
  if (!child.stdout) throw new Error('The process has no output to read.');
  const gone = once(child, 'exit').then(() => {
    throw new Error('A part of the benchmark ended while it started; run with BENCH_LOG=1 to see why.');
  });
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), gone])) as [string];
  return Ready.parse(JSON.parse(line)).port;
}

/** Ends a process and waits for its end. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

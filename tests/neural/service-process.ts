/** The separation service as a process, with what it starts (Linux). */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { MODEL, modelsFolder } from './installed-models.ts';

const ROOT = join(import.meta.dirname, '../..');
const Ready = z.looseObject({ port: z.number() });

/** Why tests that look at processes are skipped; false where they are not. */
export const WITHOUT_PROC = existsSync('/proc/self/task') ? false : 'This system does not show processes in /proc.';

export interface ServiceProcess {
  url: string;
  pid: number;
  stop: () => Promise<void>;
}

/** Starts the service with the model. */
export async function startSeparation(): Promise<ServiceProcess> {
  const child: ChildProcess = spawn(process.execPath, [join(ROOT, 'services/separation/main.ts')], {
    env: { ...process.env, PORT: '0', MODELS_DIR: modelsFolder(), SEPARATION_MODEL: MODEL.name },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string];
  const { port } = Ready.parse(JSON.parse(line));
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid!,
    stop: async () => {
      const gone = once(child, 'exit');
      child.kill();
      await gone;
    },
  };
}

/** Reads a file of /proc; an empty text if the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The process that runs a model for a service, if there is one. */
export function modelProcess(service: number): number | undefined {
  const children = read(`/proc/${service}/task/${service}/children`).trim().split(' ').filter(Boolean).map(Number);
  return children.find((pid) => read(`/proc/${pid}/cmdline`).includes('neural/process.ts'));
}

/** Memory of a process in MB, now and at its peak so far; 0 if it has ended. */
export function memoryOf(pid: number): { now: number; peak: number } {
  const status = read(`/proc/${pid}/status`);
  const of = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1000;
  return { now: of('VmRSS'), peak: of('VmHWM') };
}

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import type { CleanUpScope } from '../support/postgres.ts';

const WAIT_LIMIT_MS = 15_000;
const POLL_MS = 20;

/** A temporary directory that every user may enter; removed by the clean-up. */
export async function scratchDir(scope: CleanUpScope): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'mashup-local-'));
  await chmod(directory, 0o711);
  scope.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

/** Waits until a condition holds; fails with its name after 15 s. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_LIMIT_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await delay(POLL_MS);
  }
}

/** Another Node process that runs some lines of a module, so that it can be killed. */
export interface OtherProcess {
  child: ChildProcess;
  pid: number;
  /** The next line that it prints, as JSON. */
  next(): Promise<unknown>;
}

/** Runs module code in a process of its own, which is killed by the clean-up. */
export function runElsewhere(scope: CleanUpScope, code: string, env: NodeJS.ProcessEnv = {}): OtherProcess {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const { pid, stdout } = child;
  if (pid === undefined || stdout === null) throw new Error('the process did not start');
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  scope.after(async () => {
    child.kill('SIGKILL');
  });
  return {
    child,
    pid,
    async next() {
      const { value, done } = await lines.next();
      if (done === true) throw new Error('the process ended without a word');
      return JSON.parse(value);
    },
  };
}

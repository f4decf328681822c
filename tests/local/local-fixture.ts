import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { CleanUpScope } from '../support/postgres.ts';

/** Creates a temporary directory that every user may enter. The clean-up removes it. */
export async function scratchDir(scope: CleanUpScope): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'mashup-local-'));
  await chmod(directory, 0o711);
  scope.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

/** Another Node process, which a test can kill. */
export interface OtherProcess {
  child: ChildProcess;
  pid: number;
  /** Returns the next line that it prints, parsed as JSON. */
  next(): Promise<unknown>;
}

/** Runs the code of a module in another process. The clean-up kills it. */
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
      if (done === true) throw new Error('the process exited without output');
      return JSON.parse(value);
    },
  };
}

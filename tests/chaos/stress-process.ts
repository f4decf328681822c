/** Runs a stress test in a process of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** Runs a stress test with four workers. @throws AssertionError with its output if it fails */
export async function assertStressPasses(options: { jobs: number; seed: number; everyMs: number }): Promise<void> {
  const { jobs, seed, everyMs } = options;
  const given = ['--jobs', jobs, '--workers', 4, '--seed', seed, '--every', everyMs].map(String);
  const run = spawn(process.execPath, [join(import.meta.dirname, 'run.ts'), ...given], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [run.stdout, run.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve) => run.once('exit', resolve));
  assert.equal(code, 0, output);
}

/** The storm, small: fifty jobs in a process of their own. `npm run chaos` is the same at any size. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { join } from 'node:path';

test('fifty jobs through killed, stopped and cut-off workers, restarts of Postgres and lying services end right', async () => {
  const run = spawn(
    process.execPath,
    [join(import.meta.dirname, 'run.ts'), '--jobs', '50', '--workers', '4', '--seed', '11', '--every', '500'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  for (const stream of [run.stdout, run.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const code = await new Promise<number | null>((resolve) => run.once('exit', resolve));
  assert.equal(code, 0, said);
});

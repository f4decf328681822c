/** Services go on when nobody reads their output any more. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

const MAIN = join(import.meta.dirname, '../../services/scoring/main.ts');
/** Each request is a line of the log. The first line after the end of the reader is the first that fails. */
const REQUESTS = 5;

test('a service whose output was closed answers on, and ends as usual', async (t) => {
  const service = spawn(process.execPath, [MAIN], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => service.kill('SIGKILL'));
  const [line] = (await once(createInterface(service.stdout), 'line')) as [string];
  const { port } = JSON.parse(line) as { port: number };
  service.stdout.destroy();
  service.stderr.destroy();
  for (let request = 0; request < REQUESTS; request++) {
    const refused = await fetch(`http://127.0.0.1:${port}/nothing`, { method: 'POST' });
    assert.equal(refused.status, 404);
  }
  const health = await fetch(`http://127.0.0.1:${port}/health`);
  assert.equal(health.status, 200);
  service.kill('SIGTERM');
  const [code] = (await once(service, 'exit')) as [number | null];
  assert.equal(code, 0);
});

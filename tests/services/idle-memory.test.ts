/** Services free what their requests left. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { freeMemoryWhenIdle } from '../../services/http/idle-memory.ts';
import { until } from '../support/until.ts';

const collected = new FinalizationRegistry((count: () => void) => count());

test('what a request left is freed when the service has nothing more to do', async (t) => {
  let freed = 0;
  const server = createServer((request, response) => {
    collected.register({ request }, () => freed++);
    response.end();
  });
  freeMemoryWhenIdle(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await Promise.all([fetch(`${url}/work`), fetch(`${url}/work`)]);
  await until('both requests are freed', () => freed === 2);
  assert.equal(freed, 2);
});

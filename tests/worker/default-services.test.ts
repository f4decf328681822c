/** Services without a URL must run when the worker starts. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { freePort } from '../../local/ports.ts';
import type { ServiceName } from '../../schema.ts';
import { SERVICES } from '../../schema.ts';
import { readConfig } from '../../worker/config.ts';
import { requireDefaultServices } from '../../worker/default-services.ts';
import { WorkerStartError } from '../../worker/errors.ts';

const server = createServer((_request, response) => response.writeHead(404).end());
await once(server.listen(0, '127.0.0.1'), 'listening');
const { port } = server.address() as AddressInfo;
after(() => void server.close());
const DEAD = 'http://127.0.0.1:9';
const urls = Object.fromEntries(SERVICES.map((service) => [service, DEAD])) as Record<ServiceName, string>;

test('services without a URL that do not respond are an error that names them and says how to start them', async () => {
  const some = { ...urls, scoring: `http://127.0.0.1:${port}` };
  await assert.rejects(
    requireDefaultServices(['analysis', 'scoring', 'separation'], some, () => {}, 0),
    (error: unknown) => {
      assert.ok(error instanceof WorkerStartError);
      assert.equal(error.code, 'services_missing');
      assert.match(error.message, /analysis \(http:\/\/127\.0\.0\.1:9\), separation/);
      assert.doesNotMatch(error.message, /scoring/);
      assert.match(error.hint, /mashup services.*--with-services.*ANALYSIS_API_URL, SEPARATION_API_URL/);
      return true;
    },
  );
});

test('a service that starts a little later is waited for', async () => {
  const late = createServer((_request, response) => response.end());
  const latePort = await freePort();
  const lines: string[] = [];
  const waiting = requireDefaultServices(
    ['scoring'],
    { ...urls, scoring: `http://127.0.0.1:${latePort}` },
    (_level, message) => {
      lines.push(message);
      late.listen(latePort, '127.0.0.1');
    },
  );
  await waiting;
  late.close();
  assert.deepEqual(lines, ['waiting for services']);
});

test('a service whose URL is set is not expected at the start', () => {
  const config = readConfig({
    DATABASE_URL: 'postgres://mashup_worker:x@127.0.0.1/x',
    SUPABASE_URL: DEAD,
    SUPABASE_SERVICE_ROLE_KEY: 'key',
    SCORING_API_URL: DEAD,
    ANALYSIS_API_URL: '',
  });
  assert.deepEqual(config.defaultServices, ['analysis', 'processing', 'orchestrator', 'separation']);
});

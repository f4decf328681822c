/** The built-in services keep the contract, by the check that anyone can run. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { SERVICES } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import { checkService } from '../../service-check/check.ts';
import { createAnalysisServer } from '../../services/analysis/server.ts';
import { createOrchestratorServer } from '../../services/orchestrator/server.ts';
import { createProcessingServer } from '../../services/processing/server/server.ts';
import { createScoringServer } from '../../services/scoring/server.ts';
import { createSeparationServer } from '../../services/separation/server.ts';
import { mashup } from '../cli/cli.ts';

const SERVERS: Record<ServiceName, () => Server> = {
  analysis: createAnalysisServer,
  processing: createProcessingServer,
  scoring: createScoringServer,
  orchestrator: () => createOrchestratorServer(null),
  separation: createSeparationServer,
};

/** Runs a built-in service and calls `use` with its URL. */
async function withService<T>(service: ServiceName, use: (url: string) => Promise<T>): Promise<T> {
  const server = SERVERS[service]();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

describe('every rule holds for the built-in service of', () => {
  for (const service of SERVICES) {
    it(service, async () => {
      const results = await withService(service, (url) => checkService(service, url));
      assert.deepEqual(
        results.filter(({ outcome }) => outcome !== 'holds'),
        [],
      );
    });
  }
});

it('mashup check-service prints each rule, and ends with 1 if one does not hold', async () => {
  await withService('scoring', async (url) => {
    const good = await mashup(['check-service', 'scoring', url], {});
    assert.equal(good.code, 0, good.stderr);
    assert.match(good.stdout, /ok {2}follows-weights .*\n[^]*The scoring service keeps the contract\./);
    const wrong = await mashup(['check-service', 'orchestrator', url], {});
    assert.equal(wrong.code, 1);
    assert.match(wrong.stdout, /!! {2}refuses-empty-body .* But the answer is 404/);
  });
  const unknown = await mashup(['check-service', 'mixing', 'http://127.0.0.1:1'], {});
  assert.deepEqual([unknown.code, /Choose one of analysis/.test(unknown.stderr)], [2, true]);
});

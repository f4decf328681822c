/** The check of services finds each rule that a service breaks, and names it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SERVICES } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import { checkService, ruleNames, ServiceUnreachableError } from '../../service-check/check.ts';
import { startService } from './right-services.ts';
import type { Handler } from './right-services.ts';
import { WRONG_SERVICES } from './wrong-services.ts';

/** The rules that do not hold for a service. */
async function brokenRules(service: ServiceName, change?: Handler): Promise<string[]> {
  const { url, close } = await startService(service, change);
  try {
    const results = await checkService(service, url, { timeoutMs: 10_000 });
    return results.filter(({ outcome }) => outcome === 'fault' || outcome === 'advice').map(({ rule }) => rule);
  } finally {
    close();
  }
}

for (const service of SERVICES) {
  describe(`the check of the ${service} service`, () => {
    it('finds nothing at a service that keeps the contract', async () => {
      assert.deepEqual(await brokenRules(service), []);
    });

    it('has a wrong service for each of its rules', () => {
      const broken = WRONG_SERVICES.filter((wrong) => wrong.service === service).map(({ rule }) => rule);
      assert.deepEqual(broken.sort(), ruleNames(service).sort());
    });

    for (const { rule, change } of WRONG_SERVICES.filter((wrong) => wrong.service === service)) {
      it(`names ${rule}, and no other rule, at a service that breaks it`, async () => {
        assert.deepEqual(await brokenRules(service, change), [rule]);
      });
    }
  });
}

it('a service that does not answer is reported, without a rule', async () => {
  const { url, close } = await startService('scoring');
  close();
  await assert.rejects(checkService('scoring', url), ServiceUnreachableError);
});

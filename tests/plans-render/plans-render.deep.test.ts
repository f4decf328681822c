import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import { startRenderer, startStorage, type Storage } from '../audio-out/render-fixture.ts';
import { assertRenders, sortPlans } from './plans.ts';

const PLANS = 10_000;
const RENDERED = 40;

let storage: Storage;
let renderer: Awaited<ReturnType<typeof startRenderer>>;
before(async () => {
  storage = await startStorage();
  renderer = await startRenderer();
});
after(() => {
  for (const { server } of [storage, renderer]) {
    server.closeAllConnections();
    server.close();
  }
});

test('of ten thousand random plans, each is rejected with reasons or valid, and forty of the valid ones render', async (t) => {
  const { valid, rejected } = sortPlans(PLANS, Number(process.env['SEED'] ?? 1));
  t.diagnostic(`${valid.length} are valid, ${rejected} were rejected`);
  const step = Math.max(1, Math.floor(valid.length / RENDERED));
  const chosen = valid.filter((_, i) => i % step === 0).slice(0, RENDERED);
  assert.equal(chosen.length, RENDERED);
  for (const plan of chosen) await assertRenders(storage, renderer.url, plan);
});

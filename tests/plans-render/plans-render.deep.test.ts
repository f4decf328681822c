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

test('of ten thousand random plans each is refused with reasons, and of the others forty from all over the range render', async (t) => {
  const { good, refused } = sortPlans(PLANS, Number(process.env['SEED'] ?? 1));
  t.diagnostic(`${good.length} passed, ${refused} were refused`);
  const step = Math.max(1, Math.floor(good.length / RENDERED));
  const chosen = good.filter((_, i) => i % step === 0).slice(0, RENDERED);
  assert.equal(chosen.length, RENDERED);
  for (const plan of chosen) await assertRenders(storage, renderer.url, plan);
});

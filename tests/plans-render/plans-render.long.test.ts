import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import { producePlan } from '../../music/producer/producer.ts';
import { revisePlan } from '../../music/revision/revise.ts';
import { scorePair } from '../../music/scoring/scoring.ts';
import { startRenderer, startStorage, type Storage } from '../audio-out/render-fixture.ts';
import { assertRenders, LIMITS, SONGS, sortPlans } from './plans.ts';

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

/** Number of valid plans that are rendered; plans-render.deep.test.ts renders forty. */
const RENDERED = 1;

test('of a thousand random plans, each is rejected with reasons or renders', async () => {
  const { valid, rejected } = sortPlans(1_000, 6);
  assert.ok(valid.length >= 30 && rejected >= 30, `${valid.length} are valid, ${rejected} were rejected`);
  for (const plan of valid.slice(0, RENDERED)) await assertRenders(storage, renderer.url, plan);
});

test('a plan that the rules revised by feedback renders', async () => {
  const scores = [scorePair(SONGS[0]!, SONGS[1]!)];
  const plan = producePlan({ songs: SONGS, scores, limits: LIMITS, seed: 5, length_sec: 10 });
  const revised = revisePlan({ plan, feedback: 'more vocals, faster, without effects', songs: SONGS, limits: LIMITS });
  assert.equal(revised.changes.length, 3, JSON.stringify(revised));
  await assertRenders(storage, renderer.url, revised.plan);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryFor } from './memory.ts';

test('analysing four more minutes takes less than half of what they decode to', async () => {
  const decodedMb = (240 * 44_100 * 2 * 4) / 2 ** 20;
  const short = await memoryFor('analysis', 60);
  const long = await memoryFor('analysis', 300);
  assert.ok(long - short < decodedMb / 2, `${short} MB for one minute, ${long} MB for five`);
});

test('separating takes less than 200 MB above the base, whatever came before the block at hand', async () => {
  const risen = await memoryFor('separation', 70);
  assert.ok(risen < 200, `${risen} MB`);
});

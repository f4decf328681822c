import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryFor } from './memory.ts';

test('analysing four more minutes takes less than half of the memory of their samples', async () => {
  const decodedMb = (240 * 44_100 * 2 * 4) / 2 ** 20;
  const short = await memoryFor('analysis', 60);
  const long = await memoryFor('analysis', 300);
  assert.ok(long - short < decodedMb / 2, `${short} MB for one minute, ${long} MB for five`);
});

test('separating more than one block takes less than 200 MB above the base', async () => {
  const increase = await memoryFor('separation', 70);
  assert.ok(increase < 200, `${increase} MB`);
});

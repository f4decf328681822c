import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryFor } from './memory.ts';

test('analysing five minutes takes less than 80 MB above the base; the decoded song alone would be 101', async () => {
  const risen = await memoryFor('analysis', 300);
  assert.ok(risen < 80, `${risen} MB`);
});

test('separating takes less than 200 MB above the base, whatever came before the block at hand', async () => {
  const risen = await memoryFor('separation', 70);
  assert.ok(risen < 200, `${risen} MB`);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryFor } from './memory.ts';

const LONG_SEC = 600;

test('analysing ten minutes takes less than 100 MB above the base', async () => {
  const risen = await memoryFor('analysis', LONG_SEC);
  assert.ok(risen < 100, `${risen} MB`);
});

test('separating ten minutes takes less than 200 MB above the base', async () => {
  const risen = await memoryFor('separation', LONG_SEC);
  assert.ok(risen < 200, `${risen} MB`);
});

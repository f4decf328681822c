import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryFor } from './memory.ts';

const LONG_SEC = 600;

test('analysing ten minutes takes less than 100 MB above the base', async () => {
  const increase = await memoryFor('analysis', LONG_SEC);
  assert.ok(increase < 100, `${increase} MB`);
});

test('separating ten minutes takes less than 200 MB above the base', async () => {
  const increase = await memoryFor('separation', LONG_SEC);
  assert.ok(increase < 200, `${increase} MB`);
});

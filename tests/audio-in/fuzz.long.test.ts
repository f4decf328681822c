import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzDecoders } from './fuzz-decoders.ts';

test('200 damaged files of all formats give a typed error or sound, in bounded time and memory', async () => {
  const outcomes = await fuzzDecoders(200);
  // If all files were rejected or all accepted, the damage would test nothing.
  assert.ok(outcomes['decoded']! > 10 && outcomes['audio_damaged']! > 10, JSON.stringify(outcomes));
});

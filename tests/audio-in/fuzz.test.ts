import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzDecoders } from './fuzz.ts';

test('200 mutated files of all formats give a typed error or sound, in time and bounded memory', async () => {
  const outcomes = await fuzzDecoders(200);
  // Damage of both kinds: if all were refused or all accepted, the mutations would attack nothing.
  assert.ok(outcomes['decoded']! > 10 && outcomes['audio_damaged']! > 10, JSON.stringify(outcomes));
});

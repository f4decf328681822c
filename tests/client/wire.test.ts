/** The client's messages have camelCase members, the messages on the wire those of the database. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toMashupJob, toSnake } from '../../packages/client/wire.ts';
import { comparisons } from './wire-types.ts';

test('a row becomes a job with camelCase members at every depth, and its values stay', () => {
  const job = toMashupJob({
    id: 'a',
    current_step: 'Matching a_b',
    songs: [{ song_id: 'x', loudness_lufs: -9.5 }],
    result: { true_peak_dbtp: -1.2 },
    warnings: [],
    hold: null,
  });
  assert.deepEqual(job, {
    id: 'a',
    currentStep: 'Matching a_b',
    songs: [{ songId: 'x', loudnessLufs: -9.5 }],
    result: { truePeakDbtp: -1.2 },
    warnings: [],
    hold: null,
  });
});

test('a request has snake_case members, and undefined members stay undefined', () => {
  const request = toSnake({ songs: [{ songId: 'x', storagePath: 'a/b' }], idempotencyKey: 'k', hold: undefined });
  assert.deepEqual(request, { songs: [{ song_id: 'x', storage_path: 'a/b' }], idempotency_key: 'k', hold: undefined });
});

test('the types of the client are those of the wire', () => {
  assert.ok(Object.values(comparisons).every(Boolean));
});

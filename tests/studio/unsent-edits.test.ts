/** Edits by hand that are not rendered yet, as a page without storage keeps them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgetUnsentEdits, keepUnsentEdits, unsentEditsOf } from '../../packages/react/state/unsent-edits.ts';

const history = { lists: [[], [{ kind: 'swap_songs' as const }]], at: 1 };

test('edits are kept for one plan of a mashup until they are forgotten, and those of the last eight mashups', () => {
  keepUnsentEdits('a', 1, history);
  assert.deepEqual(unsentEditsOf('a', 1), history);
  assert.equal(unsentEditsOf('a', 2), 'outdated');
  for (let n = 1; n < 8; n++) keepUnsentEdits(`job ${n}`, 1, history);
  keepUnsentEdits('a', 1, { ...history, at: 0 });
  keepUnsentEdits('job 8', 1, history);
  assert.deepEqual(unsentEditsOf('a', 1), { ...history, at: 0 });
  assert.equal(unsentEditsOf('job 1', 1), undefined);
  keepUnsentEdits('job 2', 1, { lists: [[]], at: 0 });
  forgetUnsentEdits('job 3');
  assert.deepEqual([unsentEditsOf('job 2', 1), unsentEditsOf('job 3', 1)], [undefined, undefined]);
  assert.deepEqual(unsentEditsOf('job 4', 1), history);
});

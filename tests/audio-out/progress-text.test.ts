import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderedText } from '../../services/processing/render/progress.ts';

test('a step names a rendered section by the name in its description, and never by a sentence', () => {
  assert.equal(renderedText(2, 6, 'Drop: The vocals of "A" are on top.'), 'Rendered section 3 of 6: Drop');
  assert.equal(renderedText(0, 2, 'The vocals of "A" stand alone'), 'Rendered section 1 of 2');
  assert.equal(renderedText(0, 2, 'The vocals of a song stand alone for a while: A'), 'Rendered section 1 of 2');
  assert.equal(renderedText(1, 2, ''), 'Rendered section 2 of 2');
});

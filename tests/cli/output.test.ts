import assert from 'node:assert/strict';
import { test } from 'node:test';
import { harmless } from '../../cli/output.ts';

test('a name cannot steer the terminal that shows it, and colours stay', () => {
  const hostile = '\u001b]0;owned\u0007Song\u001b[2J\u001b[H\r\u009b31mX\u001b[1mbold\u001b[22m';
  const shown = harmless(hostile);
  assert.equal(shown, ']0;ownedSong[2J[H31mX\u001b[1mbold\u001b[22m');
});

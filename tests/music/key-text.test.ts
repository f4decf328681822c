import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restateKey } from '../../music/theory/key-text.ts';

test('a text of the plan names the key in which the mashup sounds, in every spelling', () => {
  const text = 'They meet at 120 bpm in Bb minor (3A), B♭-minor to the end; the bass of 1A stays.';
  assert.equal(
    restateKey(text, 'A# minor', 'C minor'),
    'They meet at 120 bpm in C minor (5A), C minor to the end; the bass of 1A stays.',
  );
  assert.equal(restateKey('In C major, or B♯ major.', 'C major', 'Ab major'), 'In A♭ major, or A♭ major.');
  assert.equal(restateKey('In C# minor.', 'C# minor', 'Bb minor'), 'In Bb minor.');
  assert.equal(restateKey(text, 'Bb minor', 'Bb minor'), text);
  assert.equal(restateKey(text, 'Bb minor', 'N/A'), text);
});

test('names of songs keep the keys in them', () => {
  const title = 'Prelude in A minor x Neon Drive';
  assert.equal(restateKey(title, 'A minor', 'B minor', ['Prelude in A minor', 'Neon Drive']), title);
});

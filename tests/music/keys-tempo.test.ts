import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  camelotCode,
  displayKey,
  displayKeyWithCamelot,
  fifthDistance,
  formatKey,
  isSameKey,
  keyCompatibility,
  keyShift,
  parseKey,
  transposeKey,
  type Key,
} from '../../music/theory/keys.ts';
import { spellChord, spellNote } from '../../music/theory/spelling.ts';
import { matchTempo, tempoRatio } from '../../music/theory/tempo.ts';

const key: fc.Arbitrary<Key> = fc.record({
  tonic: fc.integer({ min: 0, max: 11 }),
  mode: fc.constantFrom('major', 'minor'),
});
const read = (text: string): string | null => {
  const parsed = parseKey(text);
  return parsed && formatKey(parsed);
};

test('keys are parsed in every spelling of services and planners', () => {
  const spellings = {
    'A Minor': 'A minor',
    'C# minor': 'C# minor',
    Am: 'A minor',
    '8A': 'A minor',
    '8b': 'C major',
    'B♭ maj': 'Bb major',
    Bbm: 'Bb minor',
    'A#min': 'Bb minor',
    'F♯-moll': 'F# minor',
    'h-Moll': 'B minor',
    'B-Dur': 'Bb major',
    'Es-Dur': 'Eb major',
    'fis-Moll': 'F# minor',
    'E flat major': 'Eb major',
    'D dorian': 'D minor',
    'G mixolydian': 'G major',
    '3A': 'Bb minor',
    '6b': 'Bb major',
    '1d': 'C major',
    '1m': 'A minor',
    F: 'F major',
    'g major': 'G major',
    CM: 'C major',
  };
  for (const [text, expected] of Object.entries(spellings)) assert.equal(read(text), expected, text);
  for (const text of ['N/A', '', '13A', 'A minor; drop table', 'nonsense', 'Gs-Dur'])
    assert.equal(parseKey(text), null, text);
});

test('keys are spelled by the fewest accidentals, with F# major and Eb minor where they are equal', () => {
  const names = (mode: Key['mode']): string =>
    Array.from({ length: 12 }, (_, tonic) => formatKey({ tonic, mode }).split(' ')[0]).join(' ');
  assert.equal(names('major'), 'C Db D Eb E F F# G Ab A Bb B');
  assert.equal(names('minor'), 'C C# D Eb E F F# G G# A Bb B');
  fc.assert(fc.property(key, (each) => assert.deepEqual(parseKey(formatKey(each)), { ...each })));
});

test('keys in texts have signs for accidentals and the Camelot code; text that is no key stays as it is', () => {
  assert.equal(displayKey('A# major'), 'B♭ major');
  assert.equal(displayKeyWithCamelot({ tonic: 6, mode: 'minor' }), 'F♯ minor (11A)');
  assert.equal(displayKey('B major'), 'B major');
  assert.equal(displayKeyWithCamelot('N/A'), 'N/A');
  fc.assert(fc.property(key, (each) => assert.deepEqual(parseKey(displayKey(each)), { ...each })));
});

test('two spellings of a key are the same key', () => {
  assert.ok(isSameKey('A# major', 'Bb') && isSameKey('8A', 'a minor') && isSameKey('N/A', 'N/A'));
  assert.ok(!isSameKey('A minor', 'A major') && !isSameKey('N/A', 'C major'));
});

test('chords are spelled as in their key, and text that is no chord stays as it is', () => {
  const spelled = (name: string, ...labels: string[]): string =>
    labels.map((label) => spellChord(label, parseKey(name))).join(' ');
  assert.equal(spelled('F major', 'A#', 'Dm', 'D#m7', 'Gm'), 'Bb Dm Ebm7 Gm');
  assert.equal(spelled('C minor', 'G#', 'D#', 'A#', 'Fm'), 'Ab Eb Bb Fm');
  assert.equal(spelled('E major', 'Abm', 'Dbm', 'A', 'D'), 'G#m C#m A D');
  assert.equal(spelled('Eb minor', 'B', 'F#', 'C#'), 'Cb Gb Db');
  assert.equal(spelled('N/A', 'A#', 'C#m', 'F#'), 'Bb Dbm F#');
  assert.equal(spelled('Bb major', 'Arrow', 'N', ''), 'Arrow N ');
  fc.assert(
    fc.property(key, fc.integer({ min: 0, max: 11 }), (each, pitch) =>
      assert.equal(parseKey(spellNote(pitch, each))?.tonic, pitch),
    ),
  );
});

test('Camelot codes and names denote the same keys', () => {
  assert.deepEqual(
    ['A minor', 'C major', 'G major', 'E minor', 'F# minor', 'D# minor'].map((name) => camelotCode(parseKey(name)!)),
    ['8A', '8B', '9B', '9A', '11A', '2A'],
  );
  fc.assert(fc.property(key, (each) => assert.equal(read(camelotCode(each)), formatKey(each))));
});

test('after the shift two keys share their notes, and no smaller shift does it', () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      const shift = keyShift(a, b);
      assert.equal(fifthDistance(transposeKey(a, shift), b), 0);
      for (let smaller = 0; smaller < Math.abs(shift); smaller++)
        for (const other of [smaller, -smaller]) assert.notEqual(fifthDistance(transposeKey(a, other), b), 0);
    }),
  );
});

test('relative keys need no shift', () => {
  assert.equal(keyShift(parseKey('A minor')!, parseKey('C major')!), 0);
  assert.equal(keyShift(parseKey('Bb')!, parseKey('G minor')!), 0);
});

test('key compatibility is symmetric, in 0..1, best for the same key and better for a fifth than for a tritone', () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      const value = keyCompatibility(a, b);
      assert.equal(value, keyCompatibility(b, a));
      assert.ok(value > 0 && value <= keyCompatibility(a, a));
    }),
  );
  const [c, g, fSharp] = ['C', 'G', 'F#'].map((name) => parseKey(name)!);
  assert.ok(keyCompatibility(c!, g!) > keyCompatibility(c!, fSharp!));
});

test('tempi match at half and double time', () => {
  assert.deepEqual(matchTempo(70, 140), { multiple: 2, rate: 1 });
  assert.deepEqual(matchTempo(174, 87), { multiple: 0.5, rate: 1 });
  assert.equal(tempoRatio(60, 120), 1);
  assert.equal(tempoRatio(0, 120), 0.5);
  fc.assert(
    fc.property(
      fc.double({ min: 40, max: 240, noNaN: true }),
      fc.double({ min: 40, max: 240, noNaN: true }),
      (a, b) => {
        const ratio = tempoRatio(a, b);
        assert.ok(ratio > 0.3 && ratio <= 1);
      },
    ),
  );
});

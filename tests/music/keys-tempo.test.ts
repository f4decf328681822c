import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  camelotCode,
  fifthDistance,
  formatKey,
  keyCompatibility,
  keyShift,
  parseKey,
  transposeKey,
  type Key,
} from '../../music/theory/keys.ts';
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
    'B♭ maj': 'A# major',
    Bbm: 'A# minor',
    F: 'F major',
    'g major': 'G major',
    CM: 'C major',
  };
  for (const [text, expected] of Object.entries(spellings)) assert.equal(read(text), expected, text);
  for (const text of ['N/A', '', 'H minor', '13A', 'A minor; drop table', 'nonsense'])
    assert.equal(parseKey(text), null, text);
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

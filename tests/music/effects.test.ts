import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  describeEffects,
  EFFECTS,
  formatEffect,
  nearestEffect,
  parseEffect,
  type EffectName,
} from '../../music/plan/effects.ts';

test('an effect is a name, or a name with numbers in range', () => {
  assert.deepEqual(parseEffect('reverb'), { name: 'reverb', params: { mix: 0.25, decay: 1.8 } });
  assert.deepEqual(parseEffect(' lowpass ( freq = 400 ) '), { name: 'lowpass', params: { freq: 400 } });
  for (const bad of [
    'lowpass(freq=1)',
    'lowpass(hz=400)',
    'lowpass(freq=abc)',
    'Lowpass',
    'laser',
    'reverb(mix=0.2',
    '__proto__',
    'constructor',
    'reverb(__proto__=1)',
  ])
    assert.equal(parseEffect(bad), null, bad);
});

test('free words map to the nearest effect', () => {
  const cases: Record<string, string | null> = {
    'high-pass-filter-800hz': 'highpass(freq=800)',
    'low-pass-400hz': 'lowpass(freq=400)',
    'Low Pass 1.2 kHz': 'lowpass(freq=1200)',
    reverb: 'reverb',
    'big hall reverb': 'reverb',
    'lowpass(freq=999999)': 'lowpass(freq=18000)',
    'filter sweep': 'lowpass_sweep',
    'fade-out': 'fade_out',
    sidechain: 'sidechain',
    'ping-pong delay': 'pingpong',
    telephone: 'bandpass',
    mono: 'width(amount=0)',
    xyzzy: null,
    '': null,
  };
  for (const [text, expected] of Object.entries(cases)) {
    const effect = nearestEffect(text);
    assert.equal(effect && formatEffect(effect), expected, text);
  }
});

test('a formatted effect parses to the same effect', () => {
  const names = Object.keys(EFFECTS) as EffectName[];
  const effect = fc.constantFrom(...names).chain((name) => {
    const parameters: [string, { min: number; max: number }][] = Object.entries(EFFECTS[name].parameters);
    return fc
      .tuple(...parameters.map(([, { min, max }]) => fc.integer({ min: Math.ceil(min * 8), max: Math.floor(max * 8) })))
      .map((values) => ({
        name,
        params: Object.fromEntries(parameters.map(([parameter], i) => [parameter, (values[i] ?? 0) / 8])),
      }));
  });
  fc.assert(fc.property(effect, (each) => assert.deepEqual(parseEffect(formatEffect(each)), each)));
});

test('any text parses without an error, and the result is valid', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      const effect = nearestEffect(text);
      if (effect) assert.ok(parseEffect(formatEffect(effect)));
    }),
    { numRuns: 1_000 },
  );
});

test('the description lists every effect', () => {
  for (const name of Object.keys(EFFECTS)) assert.match(describeEffects(), new RegExp(`^${name}[(:]`, 'm'));
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type EffectName, EFFECTS, parseEffect } from '../../music/plan/effects.ts';
import type { EffectContext } from '../../audio/effects/effect-process.ts';
import { applyEffect } from '../../audio/effects/effects.ts';
import { clicks, noise, sine } from './signals.ts';

const RATE = 44_100;
/** One second before the section, a section of eight seconds (four bars at 120 BPM), and a tail of three seconds. */
const SECONDS = 12;
const CONTEXT: EffectContext = { sampleRate: RATE, beatSec: 0.5, beatsPerBar: 4, start: RATE, end: 9 * RATE };

function apply(text: string, source: Float32Array, right = source): Float32Array[] {
  const effect = parseEffect(text);
  assert.ok(effect, text);
  return applyEffect([source.slice(), right.slice()], effect, CONTEXT);
}

function rms(samples: Float32Array, fromSec: number, toSec: number): number {
  const part = samples.subarray(Math.round(fromSec * RATE), Math.round(toSec * RATE));
  return Math.sqrt(part.reduce((sum, x) => sum + x * x, 0) / part.length);
}

/** Sound that stops at the end of the section. */
function sounding(make: (seconds: number) => Float32Array): Float32Array {
  const samples = new Float32Array(SECONDS * RATE);
  samples.set(make(9));
  return samples;
}

describe('effects', () => {
  const music = sounding((seconds) => noise(seconds, RATE, 0.3, 9));

  for (const name of Object.keys(EFFECTS) as EffectName[]) {
    it(`${name} changes the sound, keeps its length and stays in bounds`, () => {
      const text = name === 'eq' ? 'eq(low=-12,high=6)' : name;
      const right = sounding((seconds) => noise(seconds, RATE, 0.3, 11));
      const treated = apply(text, music, right);
      assert.equal(treated.length, 2);
      for (const samples of treated) {
        assert.equal(samples.length, music.length);
        assert.ok(samples.every((x) => Number.isFinite(x) && Math.abs(x) < 4));
      }
      assert.ok(treated[0]!.some((x, i) => Math.abs(x - music[i]!) > 1e-3));
      assert.deepEqual(
        Buffer.compare(Buffer.from(treated[0]!.buffer), Buffer.from(apply(text, music, right)[0]!.buffer)),
        0,
      );
    });
  }

  it('lowpass and highpass remove their side of the spectrum', () => {
    const low = sounding((seconds) => sine(100, seconds, RATE, 0.5));
    const high = sounding((seconds) => sine(5000, seconds, RATE, 0.5));
    assert.ok(
      rms(apply('lowpass(freq=600)', high)[0]!, 3, 8) < 0.005 && rms(apply('lowpass(freq=600)', low)[0]!, 3, 8) > 0.3,
    );
    assert.ok(
      rms(apply('highpass(freq=600)', low)[0]!, 3, 8) < 0.005 && rms(apply('highpass(freq=600)', high)[0]!, 3, 8) > 0.3,
    );
  });

  it('lowpass_sweep opens over the section', () => {
    const high = sounding((seconds) => sine(4000, seconds, RATE, 0.5));
    const [swept] = apply('lowpass_sweep(from=200,to=16000)', high);
    assert.ok(rms(swept!, 1, 2) < 0.01 && rms(swept!, 8, 9) > 0.3);
  });

  it('sidechain ducks on the beat and recovers before the next', () => {
    const tone = sounding((seconds) => sine(300, seconds, RATE, 0.5));
    const [ducked] = apply('sidechain(depth=12)', tone);
    for (const beat of [2, 2.5, 3]) {
      assert.ok(rms(ducked!, beat, beat + 0.02) < 0.12);
      assert.ok(rms(ducked!, beat + 0.4, beat + 0.45) > 0.33);
    }
  });

  it('gate opens and closes in time with the beat', () => {
    const tone = sounding((seconds) => sine(300, seconds, RATE, 0.5));
    const [gated] = apply('gate(beats=0.5,open=0.5)', tone);
    assert.ok(rms(gated!, 2.02, 2.1) > 0.3 && rms(gated!, 2.14, 2.24) < 0.001);
  });

  it('delay and pingpong repeat in beats, pingpong on alternating sides', () => {
    const click = clicks([4], SECONDS, RATE);
    const [left, right] = apply('delay(beats=1,feedback=0.5,mix=0.5)', click);
    for (const channel of [left!, right!]) assert.ok(rms(channel, 4.5, 4.51) > 10 * rms(channel, 4.3, 4.4));
    const [first, second] = apply('pingpong(beats=1,feedback=0.5,mix=0.5)', click);
    assert.ok(rms(first!, 4.5, 4.51) > 10 * rms(second!, 4.5, 4.51));
    assert.ok(rms(second!, 5, 5.01) > 10 * rms(first!, 5, 5.01));
  });

  it('reverb and echo_out continue after the section', () => {
    assert.ok(rms(apply('reverb(mix=0.5)', music)[0]!, 9, 9.5) > 0.002);
    const thrown = apply('echo_out', music)[0]!;
    assert.ok(rms(thrown, 9.1, 9.5) > 0.01);
    assert.ok(rms(thrown, 11.5, 12) < rms(thrown, 9.1, 9.5));
  });

  it('reverse plays the section backwards between its boundaries', () => {
    const [reversed] = apply('reverse', clicks([3], SECONDS, RATE));
    assert.ok(rms(reversed!, 6.98, 7) > 0.05 && rms(reversed!, 2.9, 3.2) < 1e-6);
  });

  it('stutter repeats a slice through the last bar', () => {
    const [stuttered] = apply('stutter(beats=0.5,bars=1)', clicks([7.05], SECONDS, RATE));
    for (let k = 0; k < 8; k++) assert.ok(rms(stuttered!, 7.05 + k * 0.25, 7.06 + k * 0.25) > 0.05, `slice ${k}`);
  });

  it('riser grows to the end of the section and stops there', () => {
    const [risen] = apply('riser(bars=2)', new Float32Array(SECONDS * RATE));
    assert.equal(rms(risen!, 1, 4.9), 0);
    assert.ok(rms(risen!, 8.5, 9) > 3 * rms(risen!, 6, 6.5));
    assert.ok(rms(risen!, 9.01, 12) < 1e-6);
  });

  it('fade_in starts and fade_out ends in silence', () => {
    assert.ok(
      rms(apply('fade_in(bars=1)', music)[0]!, 1, 1.05) < 0.01 && rms(apply('fade_in(bars=1)', music)[0]!, 4, 5) > 0.15,
    );
    assert.ok(rms(apply('fade_out', music)[0]!, 8.95, 9) < 0.01);
  });

  it('bandpass keeps one band, and eq changes three bands by their decibels', () => {
    const tone = (hertz: number): Float32Array => sounding((seconds) => sine(hertz, seconds, RATE, 0.4));
    const change = (text: string, hertz: number): number =>
      20 * Math.log10(rms(apply(text, tone(hertz))[0]!, 3, 8) / rms(tone(hertz), 3, 8));
    assert.ok(Math.abs(change('bandpass(freq=1200,q=2)', 1200)) < 0.5);
    for (const hertz of [120, 9000]) assert.ok(change('bandpass(freq=1200,q=2)', hertz) < -20);
    const bands = [
      [60, -12],
      [1200, 4],
      [12_000, -9],
    ] as const;
    for (const [hertz, wanted] of bands) {
      const got = change('eq(low=-12,mid=4,high=-9)', hertz);
      assert.ok(Math.abs(got - wanted) < 1.5, `${got} dB at ${hertz} Hz`);
    }
  });

  it('highpass_sweep removes low frequencies over the section', () => {
    const low = sounding((seconds) => sine(120, seconds, RATE, 0.5));
    const [swept] = apply('highpass_sweep(from=20,to=2000)', low);
    assert.ok(rms(swept!, 1, 2) > 0.3 && rms(swept!, 8, 9) < 0.01);
  });

  it('the duration of reverb follows its decay', () => {
    const click = clicks([2], SECONDS, RATE);
    const tail = (decay: number): number => rms(apply(`reverb(mix=1,decay=${decay})`, click)[0]!, 4, 4.5);
    assert.ok(tail(6) > 20 * tail(0.5));
  });

  it('width of two doubles the side signal and keeps the mid signal', () => {
    const [left, right] = [noise(SECONDS, RATE, 0.3, 3), noise(SECONDS, RATE, 0.3, 4)];
    const [wideLeft, wideRight] = apply('width(amount=2)', left, right);
    for (let i = 0; i < left.length; i += 997) {
      assert.ok(Math.abs(wideLeft![i]! - wideRight![i]! - 2 * (left[i]! - right[i]!)) < 1e-6);
      assert.ok(Math.abs(wideLeft![i]! + wideRight![i]! - (left[i]! + right[i]!)) < 1e-6);
    }
  });

  it('width of zero is mono', () => {
    const [left, right] = apply('width(amount=0)', music, new Float32Array(music.length));
    assert.ok(left!.every((x, i) => x === right![i]));
  });
});

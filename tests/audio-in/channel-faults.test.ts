import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChannelBalance, repairChannels } from '../../audio/decode/channel-faults.ts';
import type { ChannelFault } from '../../audio/decode/channel-faults.ts';
import { readSong } from '../../audio/decode/read-song.ts';
import { encodeWav16 } from '../../audio/encode/encode-wav.ts';
import { noise, tone } from './signals.ts';

const RATE = 8000;
const SECONDS = 20;

function noiseOf(seed: number): Float32Array {
  const random = noise(seed);
  return Float32Array.from({ length: SECONDS * RATE }, () => 0.1 * random());
}

function faultOf(left: Float32Array, right: Float32Array, chunk = 3001): ChannelFault | null {
  const balance = new ChannelBalance(RATE);
  for (let at = 0; at < left.length; at += chunk) {
    balance.push([left.subarray(at, at + chunk), right.subarray(at, at + chunk)]);
  }
  return balance.fault();
}

const times = (samples: Float32Array, gain: (sec: number) => number): Float32Array =>
  samples.map((value, i) => value * gain(i / RATE));

test('independent channels, mono and a quiet channel are no fault', () => {
  const [a, b] = [noiseOf(1), noiseOf(2)];
  assert.equal(faultOf(a, b), null);
  assert.equal(faultOf(a, a), null);
  assert.equal(
    faultOf(
      a,
      times(a, () => 0.01),
    ),
    null,
  );
});

test('an inverted channel is found by the whole song, whatever the size of the chunks', () => {
  const a = noiseOf(1);
  const wide = a.map((value, i) => value + 0.05 * Math.sin(i));
  for (const chunk of [1, 7999, 8000, 100_000])
    assert.equal(
      faultOf(
        a,
        times(wide, () => -0.5),
        chunk,
      ),
      'inverted',
    );
});

test('a loud effect in opposite phase and an inverted intro are no fault', () => {
  const a = noiseOf(1);
  assert.equal(
    faultOf(
      times(a, (sec) => (sec < 3 ? 5 : 1)),
      times(a, (sec) => (sec < 3 ? -5 : 1)),
    ),
    null,
  );
  assert.equal(
    faultOf(
      a,
      times(a, (sec) => (sec < 9 ? -1 : 1)),
    ),
    null,
  );
});

test('only a channel that is silent in the whole song is replaced', () => {
  const a = noiseOf(1);
  assert.equal(
    faultOf(
      a,
      times(a, () => 0.001),
    ),
    'left_only',
  );
  assert.equal(
    faultOf(
      times(a, () => 0),
      a,
    ),
    'right_only',
  );
  assert.equal(
    faultOf(
      a,
      times(a, (sec) => (sec < 18 ? 0 : 0.5)),
    ),
    null,
  );
  const [left, right] = repairChannels([times(a, () => 0), a], 'right_only');
  assert.deepEqual([left, right], [a, a]);
});

test('a faulty song is given to its reader again, repaired, and told in a warning', async () => {
  const sound = tone(SECONDS, 440, 0.5, 44_100);
  const readings: number[] = [];
  const { result, warnings } = await readSong(
    encodeWav16([sound, sound.map((value) => -value)], 44_100),
    async (chunks) => {
      let difference = 0;
      for await (const [left, right] of chunks)
        left.forEach((value, i) => (difference = Math.max(difference, Math.abs(value - right[i]!))));
      readings.push(difference);
      return difference;
    },
  );
  assert.equal(readings.length, 2);
  assert.ok(readings[0]! > 0.9 && result < 1e-3, readings.join(', '));
  assert.match(warnings.join(), /inverted polarity/);
});

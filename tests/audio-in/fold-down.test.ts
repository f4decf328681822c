import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flacLayout, maskLayout, opusLayout, vorbisLayout, wavLayout } from '../../audio/decode/channel-layout.ts';
import type { ChannelLayout } from '../../audio/decode/channel-layout.ts';
import { foldDown } from '../../audio/decode/fold-down.ts';

/** Gains of each channel to left and right, as text. */
function gains(layout: ChannelLayout): string {
  return layout
    .map((_, sounding) => {
      const channels = layout.map((__, channel) => Float32Array.of(channel === sounding ? 1 : 0));
      return foldDown(channels, layout)
        .map(([gain]) => gain!.toFixed(3))
        .join('/');
    })
    .join(' ');
}

test('mono and stereo are folded without a change', () => {
  const [left, right] = [Float32Array.of(0.5), Float32Array.of(-0.25)];
  assert.deepEqual(foldDown([left], ['C']), [left, left]);
  assert.deepEqual(foldDown([left], ['L']), [left, left]);
  assert.deepEqual(foldDown([left, right], ['L', 'R']), [left, right]);
});

test('centre and surrounds are folded at -3 dB, one surround at -6 dB, and low frequencies are left out', () => {
  assert.equal(gains(wavLayout(3)), '0.586/0.000 0.000/0.586 0.414/0.414');
  assert.equal(gains(wavLayout(5)), '0.414/0.000 0.000/0.414 0.293/0.293 0.293/0.000 0.000/0.293');
  assert.equal(
    gains(wavLayout(7)),
    '0.343/0.000 0.000/0.343 0.243/0.243 0.000/0.000 0.172/0.172 0.243/0.000 0.000/0.243',
  );
});

test('the louder side of a fold never exceeds full scale', () => {
  for (let channels = 1; channels <= 8; channels++) {
    for (const layout of [wavLayout(channels), vorbisLayout(channels)]) {
      const full = layout.map(() => Float32Array.of(1));
      const sides = foldDown(full, layout).map(([value]) => value!);
      assert.ok(Math.abs(Math.max(...sides) - 1) < 1e-6, `${layout.join(' ')}: ${sides.join(' ')}`);
    }
  }
});

test('the order of Vorbis and Opus gives the same gains as that of WAV', () => {
  const sorted = (layout: ChannelLayout): string => gains(layout).split(' ').sort().join(' ');
  for (let channels = 1; channels <= 8; channels++) {
    assert.equal(sorted(vorbisLayout(channels)), sorted(wavLayout(channels)), `${channels} channels`);
  }
  assert.deepEqual(opusLayout(1, 3), ['L', 'C', 'R']);
  assert.deepEqual(opusLayout(255, 3), ['L', 'R', 'unknown']);
});

test('a channel mask names the positions, in WAV and in the comments of FLAC', () => {
  assert.deepEqual(maskLayout(0x107, 4), ['L', 'R', 'C', 'Cs']);
  assert.deepEqual(maskLayout(0x60f, 6), ['L', 'R', 'C', 'LFE', 'Ls', 'Rs']);
  assert.deepEqual(maskLayout(0, 6), wavLayout(6));
  assert.deepEqual(maskLayout(0x3, 6), wavLayout(6));
  const comment = new TextEncoder().encode('fLaC … WAVEFORMATEXTENSIBLE_CHANNEL_MASK=0x000B\x01');
  assert.deepEqual(flacLayout(comment, 3), ['L', 'R', 'LFE']);
  assert.deepEqual(flacLayout(new TextEncoder().encode('fLaC'), 3), ['L', 'R', 'C']);
});

test('channels without a known position fall back to the order of WAV', () => {
  assert.equal(gains(['unknown', 'unknown']), '1.000/0.000 0.000/1.000');
  assert.equal(gains(maskLayout(0x8, 1)), '1.000/1.000');
});

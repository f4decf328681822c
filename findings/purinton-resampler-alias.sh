#!/usr/bin/env bash
# The windowed-sinc resampler of @purinton folds what lies above the new Nyquist frequency back at full level.
#
# Packages: @purinton/resampler 1.0.4, @alexanderolsen/libsamplerate-js 2.1.2 (to compare)
# Guess:    from 48 to 24 kHz, the example of its page, which promises filtering of high quality, a tone of 15 kHz is at least 30 dB quieter afterwards, and less with a larger `filterWindow`.
# Seen:     it is there as 9 kHz, as loud as it was (0.0 dB), for any filterWindow. The tone of libsamplerate's fastest sinc is more than 80 dB quieter.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund @purinton/resampler@1.0.4 @alexanderolsen/libsamplerate-js@2.1.2
cat > program.mjs <<'PROGRAM'
import { once } from 'node:events';
import { Resampler } from '@purinton/resampler';
import libsamplerate from '@alexanderolsen/libsamplerate-js';

const [FROM, TO] = [48_000, 24_000];
const tone = (hz) => Float32Array.from({ length: FROM * 2 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / FROM));

/** Level of one frequency, in dB against the tone that went in, from the middle second. */
function level(samples, hz) {
  let [re, im] = [0, 0];
  for (let i = TO / 2; i < TO * 1.5; i++) {
    re += samples[i] * Math.cos((2 * Math.PI * hz * i) / TO);
    im += samples[i] * Math.sin((2 * Math.PI * hz * i) / TO);
  }
  return 20 * Math.log10((2 * Math.hypot(re, im)) / TO / 0.5);
}

async function byPurinton(samples, filterWindow) {
  const resampler = new Resampler({ inRate: FROM, outRate: TO, inChannels: 1, outChannels: 1, filterWindow });
  const parts = [];
  resampler.on('data', (part) => parts.push(part));
  resampler.end(Buffer.from(Int16Array.from(samples, (value) => Math.round(value * 32_767)).buffer));
  await once(resampler, 'end');
  const bytes = new Uint8Array(Buffer.concat(parts));
  return Float32Array.from(new Int16Array(bytes.buffer), (value) => value / 32_767);
}

async function byLibsamplerate(samples) {
  const source = await libsamplerate.create(1, FROM, TO, { converterType: libsamplerate.ConverterType.SRC_SINC_FASTEST });
  return source.simple(samples);
}

const ways = { 'filterWindow 8 (default)': (x) => byPurinton(x, undefined), 'filterWindow 64': (x) => byPurinton(x, 64), libsamplerate: byLibsamplerate };
const folded = {};
for (const [way, resample] of Object.entries(ways)) {
  const kept = level(await resample(tone(1_000)), 1_000);
  folded[way] = level(await resample(tone(15_000)), 9_000);
  console.log(`${way}: 1 kHz at ${kept.toFixed(1)} dB; 15 kHz becomes 9 kHz at ${folded[way].toFixed(1)} dB`);
}
const { libsamplerate: compared, ...own } = folded;
process.exit(Object.values(own).every((db) => db > -1) && compared < -60 ? 0 : 1);
PROGRAM
node program.mjs

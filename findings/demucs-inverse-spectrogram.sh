#!/usr/bin/env bash
# The inverse spectrogram of demucs returns too few samples: the end of each channel is the start of the next one.
#
# Packages: demucs 1.0.0
# Guess:    `ispec(spec(sound), length)` returns the sound of a segment, as in the Python original, within rounding.
# Seen:     2,476 samples at the end of a segment are wrong. In all channels but the last they are samples of the next channel, in the last
#           they are NaN. The first two frames of `spec` differ from a mirrored start as well.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts demucs@1.0.0
cat > program.mjs <<'PROGRAM'
import { ispec, spec } from './node_modules/demucs/dist/dsp.js';

/** The segment of the package's model: 7.8 s. */
const SAMPLES = 343_980;
const CHANNELS = 2;
const sound = Float32Array.from({ length: CHANNELS * SAMPLES }, (_, i) => {
  const channel = Math.floor(i / SAMPLES);
  return 0.3 * Math.sin(((channel + 1) * i) / 50);
});
const spectrum = spec({ data: sound, shape: [1, CHANNELS, SAMPLES] });
const back = ispec(spectrum, SAMPLES);

const wrongIn = (channel, from, to) => {
  let wrong = 0;
  for (let i = from; i < to; i++) {
    const at = channel * SAMPLES + i;
    if (!(Math.abs(back.data[at] - sound[at]) < 1e-3)) wrong++;
  }
  return wrong;
};
const TAIL = 2_476;
const NEAR = 4_096;
const inside = [0, 1].map((channel) => wrongIn(channel, NEAR, SAMPLES - NEAR));
const tails = [0, 1].map((channel) => wrongIn(channel, SAMPLES - TAIL, SAMPLES));
let notNumbers = 0;
for (const value of back.data) if (Number.isNaN(value)) notNumbers++;
console.log(`samples that differ: ${inside.join(' and ')} inside of the channels, ${tails.join(' and ')} of the last ${TAIL}`);
console.log(`values that are not a number: ${notNumbers}`);
process.exit(inside.every((count) => count === 0) && tails[1] === TAIL && notNumbers === TAIL ? 0 : 1);
PROGRAM
node program.mjs

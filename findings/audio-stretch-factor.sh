#!/usr/bin/env bash
# `transient`, `pvocLock` and `pvoc` of @audio/stretch round the factor: at 1.05 a minute ends 49 ms early, and 1.0009 changes nothing.
#
# Packages: @audio/stretch 2.0.4 (@audio/stretch-transient 1.2.1, @audio/stretch-pvoc 1.2.1, @audio/stretch-pvoc-lock 1.3.1)
# Guess:    `factor` is the time stretch ratio, as its README says: with 1.05, a click at 59.5 s comes at 62.475 s, and the result has 1.05 times the samples, within one frame.
# Seen:     both hops are whole numbers, so the ratio is 512 divided by a whole number: 1.05 becomes 512/488 = 1.04918, and the last of a minute of clicks is 48 ms early. At 1.0009 the result has the length of the input.
#           The length grows by the same ratio. `pghi` and `hybrid` of the same package stay within 1 ms.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund @audio/stretch@2.0.4 @audio/stretch-transient@1.2.1 @audio/stretch-pvoc@1.2.1 @audio/stretch-pvoc-lock@1.3.1 @audio/spectral-pvoc@1.0.1 @audio/stretch-pghi@1.2.1 @audio/stretch-hybrid@1.2.1
cat > program.mjs <<'PROGRAM'
import { hybrid, pghi, pvoc, pvocLock, transient } from '@audio/stretch';

const RATE = 44_100;
const BEAT = RATE / 2;
const LENGTH = 60 * RATE;
const FIRST = 1000;
const LAST = FIRST + 119 * BEAT;

/** A minute of clicks at 120 BPM. */
const clicks = new Float32Array(LENGTH);
for (let start = FIRST; start <= LAST; start += BEAT) {
  for (let i = 0; i < 600; i++) clicks[start + i] = 0.8 * Math.sin((2 * Math.PI * 1000 * i) / RATE) * Math.exp(-i / 100);
}

/** Where the loudest sample within 0.2 s of an expected place is. */
function peakNear(samples, expected) {
  let best = 0;
  let place = 0;
  for (let i = Math.max(0, Math.round(expected - 0.2 * RATE)); i < Math.min(samples.length, expected + 0.2 * RATE); i++) {
    if (Math.abs(samples[i]) > best) [best, place] = [Math.abs(samples[i]), i];
  }
  return place;
}

const inMs = (samples) => (samples / RATE) * 1000;
const rounding = { transient, pvocLock, pvoc };
let asSeen = true;
for (const factor of [1.05, 0.97, 1.0009]) {
  const ratio = 512 / Math.round(512 / factor);
  console.log(`factor ${factor}: nearest 512 / whole number is ${ratio.toFixed(5)}, ${Math.round(LENGTH * factor)} samples expected`);
  for (const [name, stretch] of Object.entries({ ...rounding, pghi, hybrid })) {
    const result = stretch(clicks, { factor });
    const [first, last] = [FIRST, LAST].map((place) => inMs(peakNear(result, place * factor) - place * factor));
    console.log(`  ${name}: ${result.length} samples, first click ${first.toFixed(1)} ms late, last ${last.toFixed(1)} ms late`);
    const isExact = Math.abs(result.length - LENGTH * factor) < 2 && Math.abs(last) < 2;
    const isRounded = Math.abs(result.length - LENGTH * ratio) < 2048 && last < -10 && Math.abs(first) < 2;
    asSeen &&= name in rounding ? isRounded : isExact;
  }
}
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs

#!/usr/bin/env bash
# The two bands of a crossover of digital-filter of order 2 or 6 cancel each other out at the crossover frequency.
#
# Packages: digital-filter 2.4.2
# Guess:    the bands of `linkwitzRiley` add up to the level of the input at every frequency, for each of the orders 2, 4, 6 and 8 that its README allows.
# Seen:     orders 4 and 8 do. With order 2 or 6, the sum has a hole: a tone at the crossover frequency is gone, and with order 2 a tone an octave away loses 4.2 to 4.4 dB. The bands of these orders are in opposite phase,
#           and neither is turned round. Subtracted, they have the level of the input.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund digital-filter@2.4.2
cat > program.mjs <<'PROGRAM'
import { filter, linkwitzRiley } from 'digital-filter';

const RATE = 44_100;
const CROSSOVER = 2_000;

/** Level in dB of the last half of a signal against a sine of amplitude 0.5. */
function level(samples) {
  const settled = samples.subarray(samples.length / 2);
  const power = settled.reduce((sum, sample) => sum + sample * sample, 0) / settled.length;
  return 10 * Math.log10(power / 0.125 + 1e-12);
}

/** Levels of a tone after the bands of a crossover are added, and after they are subtracted. */
function levels(order, frequency) {
  const { low, high } = linkwitzRiley(order, CROSSOVER, RATE);
  const tone = () => Float64Array.from({ length: RATE }, (_, i) => 0.5 * Math.sin((2 * Math.PI * frequency * i) / RATE));
  const lowBand = filter(tone(), { coefs: low });
  const highBand = filter(tone(), { coefs: high });
  return { sum: level(lowBand.map((sample, i) => sample + highBand[i])), difference: level(lowBand.map((sample, i) => sample - highBand[i])) };
}

let asSeen = true;
for (const order of [2, 4, 6, 8]) {
  console.log(`order ${order}, crossover at ${CROSSOVER} Hz:`);
  for (const frequency of [200, 1_000, 2_000, 4_000]) {
    const { sum, difference } = levels(order, frequency);
    console.log(`  ${frequency} Hz: low + high ${sum.toFixed(1)} dB, low - high ${difference.toFixed(1)} dB`);
    if (order === 4 || order === 8) asSeen &&= Math.abs(sum) < 0.1;
    else asSeen &&= Math.abs(difference) < 0.1 && (frequency !== CROSSOVER || sum < -60);
  }
}
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs

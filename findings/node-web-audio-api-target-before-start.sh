#!/usr/bin/env bash
# A fade-out by setTargetAtTime of node-web-audio-api is 43 dB too loud until it starts.
#
# Packages: node-web-audio-api 2.2.0
# Guess:    until the start time, the parameter keeps its value, as the Web Audio specification says; then it approaches the target exponentially.
# Seen:     from the second block of 128 samples to the start time, it has the value of the exponential extended back to that block: a gain of 1 that fades to 0 from 0.5 s, with a time constant
#           of 0.1 s, is 144.5 before; a gain of 0.5 that rises to 1 is -71.3 before. From the start time on, both are right. Node 20 and 24 (the package asks for 22) give the same.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund node-web-audio-api@2.2.0
cat > program.mjs <<'PROGRAM'
import { OfflineAudioContext } from 'node-web-audio-api';

const RATE = 48_000;
const START_SEC = 0.5;

/** Renders a constant of 1 for one second through a gain, so that each sample is the value of the gain. */
async function gainValues(automate) {
  const context = new OfflineAudioContext(1, RATE, RATE);
  const gain = context.createGain();
  const source = context.createConstantSource();
  automate(gain.gain);
  source.connect(gain).connect(context.destination);
  source.start();
  return (await context.startRendering()).getChannelData(0);
}

const TIMES_SEC = [0, 0.1, 0.25, 0.49, 0.5, 0.6, 0.7];

/** Prints the values next to those by the formulas of the specification, and gives the value at 0.25 s and the largest error from the start time on. */
async function compare(title, automate, expected) {
  const values = await gainValues(automate);
  const list = (at) => TIMES_SEC.map((sec) => at(sec).toFixed(3).padStart(8)).join('');
  console.log(title);
  console.log(`  at (s)   ${list((sec) => sec)}`);
  console.log(`  expected ${list(expected)}`);
  console.log(`  seen     ${list((sec) => values[Math.round(sec * RATE)])}`);
  let error = 0;
  for (let i = START_SEC * RATE; i < values.length; i++) error = Math.max(error, Math.abs(values[i] - expected(i / RATE)));
  return { before: values[RATE / 4], error };
}

const fall = await compare(
  'setValueAtTime(1, 0), setTargetAtTime(0, 0.5, 0.1)',
  (gain) => { gain.setValueAtTime(1, 0); gain.setTargetAtTime(0, START_SEC, 0.1); },
  (sec) => (sec < START_SEC ? 1 : Math.exp((START_SEC - sec) / 0.1)),
);
const rise = await compare(
  'setValueAtTime(0.5, 0), setTargetAtTime(1, 0.5, 0.1)',
  (gain) => { gain.setValueAtTime(0.5, 0); gain.setTargetAtTime(1, START_SEC, 0.1); },
  (sec) => (sec < START_SEC ? 0.5 : 1 - 0.5 * Math.exp((START_SEC - sec) / 0.1)),
);
console.log(`the fade-out is ${(20 * Math.log10(fall.before)).toFixed(1)} dB too loud before it starts`);
const asSeen =
  Math.abs(fall.before - 144.5) < 1 && Math.abs(rise.before + 71.3) < 1 && fall.error < 0.001 && rise.error < 0.001;
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs

#!/usr/bin/env bash
# Signalsmith Stretch detunes a bass note by a third of a semitone.
#
# Packages: signalsmith-stretch 1.3.2 (presets "default" and "cheaper", 44.1 kHz, tonality limit 8 kHz, no time-stretch)
# Guess:    a steady sine of 55 Hz that is shifted by -3 semitones is within 5 cents of 46.25 Hz, as one of 440 Hz is.
# Seen:     it is 33 cents sharp with the default preset. With "cheaper" 82.4 Hz is 39 cents sharp. 440 Hz is within 5 cents.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund signalsmith-stretch@1.3.2
cat > program.mjs <<'PROGRAM'
// The package is an AudioWorklet processor: these globals let it start in Node.
const RATE = 44_100;
let Processor;
let markReady;
const ready = new Promise((resolve) => (markReady = resolve));
globalThis.AudioWorkletProcessor = class {
  port = { onmessage: null, postMessage: ([message]) => message === 'ready' && markReady() };
};
globalThis.registerProcessor = (_name, processor) => (Processor = processor);
globalThis.sampleRate = RATE;
globalThis.currentTime = 0;
await import('signalsmith-stretch');
const processor = new Processor({ numberOfOutputs: 1, outputChannelCount: [2] });
await ready;
const stretch = processor.wasmModule;

/** Frequency of a steady sine after a shift, by the zero crossings of its last two seconds. */
function shifted(preset, hz, semitones) {
  stretch[preset === 'default' ? '_presetDefault' : '_presetCheaper'](2, RATE);
  stretch._reset();
  stretch._setTransposeSemitones(semitones, 8_000 / RATE);
  const block = 512;
  const output = new Float32Array(RATE * 4);
  const pointer = stretch._setBuffers(2, block);
  const buffer = (n) => new Float32Array(stretch.HEAP8.buffer, pointer + 4 * block * n, block);
  for (let at = 0; at + block <= output.length; at += block) {
    for (const channel of [0, 1]) {
      const input = buffer(channel);
      for (let i = 0; i < block; i++) input[i] = 0.5 * Math.sin((2 * Math.PI * hz * (at + i)) / RATE);
    }
    stretch._process(block, block);
    output.set(buffer(2), at);
  }
  const crossings = [];
  for (let i = RATE * 2; i + block < output.length; i++) {
    const [a, b] = [output[i - 1], output[i]];
    if (a < 0 && b >= 0) crossings.push(i - b / (b - a));
  }
  return ((crossings.length - 1) * RATE) / (crossings.at(-1) - crossings[0]);
}

const cents = {};
for (const [preset, hz] of [['default', 55], ['default', 440], ['cheaper', 82.4], ['cheaper', 440]]) {
  const wanted = hz * 2 ** (-3 / 12);
  const measured = shifted(preset, hz, -3);
  cents[`${preset} ${hz}`] = 1200 * Math.log2(measured / wanted);
  console.log(`${preset}, ${hz} Hz by -3 semitones: ${measured.toFixed(2)} Hz, wanted ${wanted.toFixed(2)}, off by ${cents[`${preset} ${hz}`].toFixed(1)} cents`);
}
const asSeen = cents['default 55'] > 25 && cents['cheaper 82.4'] > 25 && Math.abs(cents['default 440']) < 5 && Math.abs(cents['cheaper 440']) < 5;
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs

#!/usr/bin/env bash
# music-tempo measures 110 BPM in a track of 120 BPM with a sample rate of 48 kHz.
#
# Packages: music-tempo 1.0.3
# Guess:    its README passes the samples of an AudioBuffer of any AudioContext and no sample rate, so the result does not depend on the usual rates.
# Seen:     it assumes 441 samples per 10 ms. At 48 kHz, the usual rate of an AudioContext, tempi are 8.1 % too low (44.1 / 48).
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund music-tempo@1.0.3
cat > program.mjs <<'PROGRAM'
import MusicTempo from 'music-tempo';

/** Twenty seconds of clicks. */
function clicks(bpm, rate) {
  const samples = new Float32Array(rate * 20);
  const beat = Math.round((rate * 60) / bpm);
  for (let start = 0; start < samples.length; start += beat) {
    for (let i = 0; i < 800 && start + i < samples.length; i++) {
      samples[start + i] = Math.sin((2 * Math.PI * 1000 * i) / rate) * Math.exp(-i / 150);
    }
  }
  return samples;
}

let asSeen = true;
for (const bpm of [90, 120, 140]) {
  const [at44, at48] = [44_100, 48_000].map((rate) => Number(new MusicTempo(clicks(bpm, rate)).tempo));
  console.log(`${bpm} BPM: ${at44} at 44.1 kHz, ${at48} at 48 kHz (${bpm} x 44.1 / 48 is ${((bpm * 44.1) / 48).toFixed(2)})`);
  asSeen &&= Math.abs(at44 - bpm) < 0.1 && Math.abs(at48 - (bpm * 44.1) / 48) < 0.1;
}
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs

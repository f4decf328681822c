#!/usr/bin/env bash
# Onsets and beats of @audio/beat are early: 27 ms at 48 kHz, 57 ms at 22.05 kHz.
#
# Packages: @audio/beat 2.1.3 (@audio/onset 1.0.1, @audio/beat-onset 1.0.3, @audio/beat-track 1.0.3)
# Guess:    its README promises onset times in seconds, so a click that starts at 0.5 s is found at 0.5 s, within half a hop (512 samples: 6 ms at 44.1 kHz), at every sample rate.
# Seen:     every onset is early, because the time of a frame is its first sample and a click is noticed as soon as it enters the window of 2048 samples at its end. The lower the sample rate, the earlier.
#           `energyOnsets` is early by 39 ms at 44.1 kHz. The beats of `beatTrack` are early by the same time as the onsets.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund @audio/beat@2.1.3 @audio/onset@1.0.1 @audio/beat-onset@1.0.3 @audio/beat-tempo@1.0.3 @audio/beat-track@1.0.3
cat > program.mjs <<'PROGRAM'
import { bandOnsets, beatTrack, energyOnsets, onsets, phaseOnsets } from '@audio/beat';

const FIRST = 0.5;
const SECONDS = 30;
const BEAT = 0.5;

/** Clicks every half second (120 BPM), the first at 0.5 s. */
function clicks(rate) {
  const samples = new Float32Array(rate * SECONDS);
  for (let time = FIRST; time < SECONDS; time += BEAT) {
    const start = Math.round(time * rate);
    for (let i = 0; i < rate * 0.05 && start + i < samples.length; i++) {
      samples[start + i] = 0.8 * Math.sin((2 * Math.PI * 1000 * i) / rate) * Math.exp((-100 * i) / rate);
    }
  }
  return samples;
}

/** Median of the signed distances to the nearest click, in ms. */
function lateness(times) {
  const distances = Array.from(times, (time) => {
    const beats = (time - FIRST) / BEAT;
    return (beats - Math.round(beats)) * BEAT * 1000;
  });
  return distances.sort((a, b) => a - b)[distances.length >> 1];
}

let asSeen = true;
for (const rate of [48_000, 44_100, 22_050]) {
  const samples = clicks(rate);
  const halfHop = (256 / rate) * 1000;
  const measured = Object.entries({
    onsets: onsets(samples, { fs: rate }),
    bandOnsets: bandOnsets(samples, { fs: rate }),
    phaseOnsets: phaseOnsets(samples, { fs: rate }),
    energyOnsets: energyOnsets(samples, { fs: rate }),
    beatTrack: beatTrack(samples, { fs: rate, bpm: 120 }).beats,
  });
  console.log(`${rate} Hz, half a hop is ${halfHop.toFixed(1)} ms:`);
  for (const [name, times] of measured) {
    const late = lateness(times);
    console.log(`  ${name}: ${times.length} times, in the middle ${(-late).toFixed(1)} ms before the click`);
    asSeen &&= times.length >= 50 && times.length <= 65 && late < -3 * halfHop;
  }
}
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs

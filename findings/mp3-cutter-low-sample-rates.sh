#!/usr/bin/env bash
# Of an MP3 below 32 kHz, mp3-cutter cuts out twice the time, or nothing that can be played.
#
# Packages: mp3-cutter 1.0.6, wasm-media-encoders 0.7.0 (to make the files), mp3-duration 1.1.0 (to measure)
# Guess:    from 60 s at a constant bit rate, `start: 0, end: 20` gives 20 s within a frame or two, at every sample rate of MP3; so does `start: 40, end: 60`.
# Seen:     44.1 and 32 kHz give 20 s. 24, 22.05 and 16 kHz (MPEG-2) give 40 to 42 s for the first third, and a file of zero bytes without a frame for the last third, without an error.
#           The package takes a frame of MPEG-2 for twice as long in bytes as it is, so it counts half of them and takes the song for half as long.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund mp3-cutter@1.0.6 wasm-media-encoders@0.7.0 mp3-duration@1.1.0
cat > program.mjs <<'PROGRAM'
import { readFileSync, writeFileSync } from 'node:fs';
import { createMp3Encoder } from 'wasm-media-encoders';
import cutter from 'mp3-cutter';
import mp3Duration from 'mp3-duration';

/** Encodes 60 s of a tone, mono, at a constant bit rate. */
async function encode(sampleRate, bitrate) {
  const encoder = await createMp3Encoder();
  encoder.configure({ sampleRate, channels: 1, bitrate });
  const parts = [];
  for (let second = 0; second < 60; second++) {
    const samples = Float32Array.from({ length: sampleRate }, (_, i) => 0.3 * Math.sin((2 * Math.PI * 440 * i) / sampleRate));
    parts.push(Buffer.from(encoder.encode([samples])));
  }
  parts.push(Buffer.from(encoder.finalize()));
  return Buffer.concat(parts);
}

/** Seconds of playable frames in a part of the song, and whether its file holds nothing but zero bytes. */
async function cut(start, end) {
  cutter.cut({ src: 'song.mp3', target: 'part.mp3', start, end });
  const part = readFileSync('part.mp3');
  return { seconds: await mp3Duration(part), isEmpty: part.every((byte) => byte === 0) };
}

let asSeen = true;
for (const [rate, bitrate] of [[44_100, 128], [32_000, 96], [24_000, 64], [22_050, 64], [16_000, 32]]) {
  const song = await encode(rate, bitrate);
  writeFileSync('song.mp3', song);
  const [first, last] = [await cut(0, 20), await cut(40, 60)];
  const lastText = last.isEmpty ? 'only zero bytes' : `${last.seconds.toFixed(2)} s`;
  console.log(`${rate} Hz, ${(await mp3Duration(song)).toFixed(2)} s: 0 to 20 s gives ${first.seconds.toFixed(2)} s, 40 to 60 s gives ${lastText}`);
  const isLow = rate < 32_000;
  asSeen &&= Math.abs(first.seconds - (isLow ? 40 : 20)) < 2 && last.isEmpty === isLow;
}
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs

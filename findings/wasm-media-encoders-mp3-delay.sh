#!/usr/bin/env bash
# An MP3 of wasm-media-encoders starts 1,105 samples late when it is decoded.
#
# Packages: wasm-media-encoders 0.7.0, mpg123-decoder 1.0.3 (gapless decoding is on by default)
# Guess:    the file has a LAME tag, so that a gapless decoder returns the 44,100 samples that were encoded, at their place.
# Seen:     no Xing or Info tag, at constant and at variable bit rate. 46,080 samples come back, 25 ms late.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund wasm-media-encoders@0.7.0 mpg123-decoder@1.0.3
cat > program.mjs <<'PROGRAM'
import { createMp3Encoder } from 'wasm-media-encoders';
import { MPEGDecoder } from 'mpg123-decoder';

const LENGTH = 44_100;
const START = 10_000;
const click = new Float32Array(LENGTH);
for (let i = 0; i < 400; i++) click[START + i] = Math.sin((2 * Math.PI * 1000 * i) / 44_100) * Math.exp(-i / 100);

/** Samples by which the click is late, by cross-correlation. */
function lagOf(decoded) {
  let best = { sum: -1, lag: 0 };
  for (let lag = -500; lag < 3000; lag++) {
    let sum = 0;
    for (let i = 0; i < 400; i++) sum += click[START + i] * (decoded[START + i + lag] ?? 0);
    if (sum > best.sum) best = { sum, lag };
  }
  return best.lag;
}

let asSeen = true;
for (const options of [{ bitrate: 128 }, { bitrate: 320 }, { vbrQuality: 2 }]) {
  const encoder = await createMp3Encoder();
  encoder.configure({ channels: 1, sampleRate: 44_100, ...options });
  const mp3 = Buffer.concat([Buffer.from(encoder.encode([click])), Buffer.from(encoder.finalize())]);
  const decoder = new MPEGDecoder();
  await decoder.ready;
  const { channelData, samplesDecoded } = decoder.decode(mp3);
  const hasTag = mp3.includes('Xing') || mp3.includes('Info');
  const lag = lagOf(channelData[0]);
  console.log(`${JSON.stringify(options)}: tag ${hasTag}, ${samplesDecoded} samples of ${LENGTH}, ${lag} samples late`);
  asSeen &&= !hasTag && samplesDecoded === 46_080 && lag === 1_105;
}
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs

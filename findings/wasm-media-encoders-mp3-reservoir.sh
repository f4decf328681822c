#!/usr/bin/env bash
# At 320 kbit/s frames of wasm-media-encoders are not independent: they need data of the frames before.
#
# Packages: wasm-media-encoders 0.7.0
# Guess:    at the highest bit rate no frame can borrow from the bit reservoir, so that main_data_begin is 0 in every frame, and a
#           stream may be cut before any frame.
# Seen:     music-like sound uses the reservoir in nearly all frames, up to 511 bytes before the frame. A cut before such a frame loses it.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund wasm-media-encoders@0.7.0
cat > program.mjs <<'PROGRAM'
import { createMp3Encoder } from 'wasm-media-encoders';

const RATE = 44_100;
const SECONDS = 10;
let seed = 1;
const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647 - 0.5;

/** A chord with a burst of noise each half second. */
const sound = (detune) =>
  Float32Array.from({ length: RATE * SECONDS }, (_, i) => {
    const at = i / RATE;
    const chord = [220, 277.2, 329.6].reduce((sum, hz) => sum + 0.1 * Math.sin(2 * Math.PI * hz * detune * at), 0);
    return chord + 0.6 * random() * Math.exp(-((at % 0.5) * 20));
  });

/** main_data_begin of each frame: the first nine bits of its side information, which follows the header of four bytes. */
function reservoirOf(mp3) {
  const values = [];
  for (let at = 0; at + 6 < mp3.length; ) {
    if (mp3[at] !== 0xff || (mp3[at + 1] & 0xe0) !== 0xe0) throw new Error(`no frame at byte ${at}`);
    values.push((mp3[at + 4] << 1) | (mp3[at + 5] >> 7));
    const padding = (mp3[at + 2] >> 1) & 1;
    at += Math.floor((144 * 320_000) / RATE) + padding;
  }
  return values;
}

const encoder = await createMp3Encoder();
encoder.configure({ channels: 2, sampleRate: RATE, bitrate: 320 });
const mp3 = Buffer.concat([
  Buffer.from(encoder.encode([sound(1), sound(1.003)])),
  Buffer.from(encoder.finalize()),
]);
const values = reservoirOf(mp3);
const borrowing = values.filter((value) => value > 0).length;
console.log(`${values.length} frames, ${borrowing} with main_data_begin above 0, the largest ${Math.max(...values)} bytes`);
process.exit(borrowing > values.length / 2 ? 0 : 1);
PROGRAM
node program.mjs

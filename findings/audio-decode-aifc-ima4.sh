#!/usr/bin/env bash
# audio-decode reads the nibbles of IMA 4:1 in an AIFF-C file in the wrong order.
#
# Packages: audio-decode 3.12.0 (@audio/decode-aiff 1.3.0, @audio/decode-caf 1.4.1)
# Guess:    the same IMA4 packets (34 bytes for 64 samples) decode to nearly the same samples in an AIFF-C and in a CAF file.
# Seen:     CAF gives the tone 27 dB above the noise. AIFF-C gives it 7 dB above the noise, without an error: the high nibble of each byte is read first.
#           With the nibbles of each byte swapped beforehand it is AIFF-C that is right.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund audio-decode@3.12.0 @audio/decode-aiff@1.3.0 @audio/decode-caf@1.4.1
cat > program.mjs <<'PROGRAM'
import decode from 'audio-decode';

const RATE = 8_000;
const tone = Int16Array.from({ length: RATE - (RATE % 64) }, (_, i) => Math.round(12_000 * Math.sin((2 * Math.PI * 440 * i) / RATE)));

// Step sizes of IMA ADPCM: each about a tenth larger than the one before.
const STEPS = [7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767];
const CHANGES = [-1, -1, -1, -1, 2, 4, 6, 8];
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

/** IMA4 packets: the predictor's upper 9 bits and the step index, then 64 nibbles, the low one of a byte first. */
function encode(samples) {
  const packets = Buffer.alloc((samples.length / 64) * 34);
  let [predictor, index] = [0, 0];
  samples.forEach((sample, i) => {
    const at = Math.floor(i / 64) * 34;
    if (i % 64 === 0) packets.writeUInt16BE((predictor & 0xff80) | index, at);
    const step = STEPS[index];
    const magnitude = Math.min(7, Math.floor((Math.abs(sample - predictor) * 4) / step));
    const change = (step >> 3) + (magnitude & 4 && step) + (magnitude & 2 && step >> 1) + (magnitude & 1 && step >> 2);
    const isDown = sample < predictor;
    predictor = clamp(predictor + (isDown ? -change : change), -32_768, 32_767);
    index = clamp(index + CHANGES[magnitude], 0, 88);
    packets[at + 2 + Math.floor((i % 64) / 2)] |= (magnitude | (isDown ? 8 : 0)) << (i % 2 === 0 ? 0 : 4);
  });
  return packets;
}

/** Packets whose bytes have their nibbles swapped; the two bytes at the head of a packet stay. */
const swapped = (packets) => packets.map((byte, i) => (i % 34 < 2 ? byte : ((byte & 15) << 4) | (byte >> 4)));

const be = (size, value) => { const bytes = Buffer.alloc(size); bytes.writeUIntBE(value, 0, size); return bytes; };
const double = (value) => { const bytes = Buffer.alloc(8); bytes.writeDoubleBE(value); return bytes; };
const text = (value) => Buffer.from(value, 'latin1');

function inCaf(packets) {
  const description = [double(RATE), text('ima4'), be(4, 0), be(4, 34), be(4, 64), be(4, 1), be(4, 0)];
  return Buffer.concat([text('caff'), be(2, 1), be(2, 0), text('desc'), be(4, 0), be(4, 32), ...description, text('data'), be(4, 0), be(4, packets.length + 4), be(4, 0), packets]);
}

function inAiff(packets) {
  const rate = Buffer.concat([be(2, 16_383 + 12), be(4, RATE * 2 ** 19), be(4, 0)]);
  const common = Buffer.concat([be(2, 1), be(4, packets.length / 34), be(2, 16), rate, text('ima4'), be(2, 0)]);
  const body = Buffer.concat([text('AIFCFVER'), be(4, 4), be(4, 0xa2805140), text('COMM'), be(4, common.length), common, text('SSND'), be(4, packets.length + 8), be(4, 0), be(4, 0), packets]);
  return Buffer.concat([text('FORM'), be(4, body.length), body]);
}

/** Level of the tone above the noise, in dB. */
async function quality(file) {
  const [samples] = (await decode(new Uint8Array(file))).channelData;
  let [signal, noise] = [0, 0];
  tone.forEach((sample, i) => {
    signal += sample ** 2;
    noise += (samples[i] * 32_768 - sample) ** 2;
  });
  return 10 * Math.log10(signal / noise);
}

const packets = encode(tone);
const caf = await quality(inCaf(packets));
const aiff = await quality(inAiff(packets));
const aiffSwapped = await quality(inAiff(swapped(packets)));
console.log(`tone above the noise: CAF ${caf.toFixed(1)} dB, AIFF-C ${aiff.toFixed(1)} dB, AIFF-C with swapped nibbles ${aiffSwapped.toFixed(1)} dB`);
process.exit(caf > 25 && aiff < 10 && aiffSwapped > 25 ? 0 : 1);
PROGRAM
node program.mjs

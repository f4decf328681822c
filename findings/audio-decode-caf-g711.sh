#!/usr/bin/env bash
# audio-decode decodes G.711 in a CAF file 12 or 18 dB too quiet, and A-law upside down.
#
# Packages: audio-decode 3.12.0 (@audio/decode-caf 1.4.1, @audio/decode-wav 1.5.1, @audio/decode-aiff 1.3.0)
# Guess:    the same A-law or µ-law bytes decode to the same samples in a CAF, a WAV and an AIFF-C file.
# Seen:     WAV and AIFF-C agree with the tone that was encoded. From CAF, µ-law has a quarter of its level (-12 dB), A-law an eighth (-18 dB) with the opposite sign, without an error.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund audio-decode@3.12.0 @audio/decode-caf@1.4.1 @audio/decode-wav@1.5.1 @audio/decode-aiff@1.3.0
cat > program.mjs <<'PROGRAM'
import decode from 'audio-decode';

const RATE = 8_000;
const tone = Int16Array.from({ length: RATE }, (_, i) => Math.round(16_000 * Math.sin((2 * Math.PI * 440 * i) / RATE)));

/** Position of the leading one of a magnitude: the segment of G.711, 0 to 7. */
const segment = (magnitude) => Math.max(0, 24 - Math.clz32(magnitude));

/** A-law after ITU-T G.711: sign bit set for positive values, even bits inverted. */
function toALaw(sample) {
  const magnitude = sample < 0 ? -sample - 1 : sample;
  const part = segment(magnitude);
  const mantissa = (magnitude >> (part === 0 ? 4 : part + 3)) & 15;
  return ((sample < 0 ? 0 : 0x80) | (part << 4) | mantissa) ^ 0x55;
}

/** µ-law after ITU-T G.711: biased by 132, sign bit set for negative values, all bits inverted. */
function toMuLaw(sample) {
  const magnitude = Math.min(Math.abs(sample), 32_635) + 132;
  const part = segment(magnitude);
  return ~((sample < 0 ? 0x80 : 0) | (part << 4) | ((magnitude >> (part + 3)) & 15)) & 0xff;
}

const be = (size, value) => { const bytes = Buffer.alloc(size); bytes.writeUIntBE(value, 0, size); return bytes; };
const le = (size, value) => be(size, value).reverse();
const double = (value) => { const bytes = Buffer.alloc(8); bytes.writeDoubleBE(value); return bytes; };
const text = (value) => Buffer.from(value, 'latin1');

function inCaf(law, data) {
  const description = [double(RATE), text(law), be(4, 0), be(4, 1), be(4, 1), be(4, 1), be(4, 8)];
  return Buffer.concat([text('caff'), be(2, 1), be(2, 0), text('desc'), be(4, 0), be(4, 32), ...description, text('data'), be(4, 0), be(4, data.length + 4), be(4, 0), data]);
}

function inWav(law, data) {
  const format = [le(2, law === 'alaw' ? 6 : 7), le(2, 1), le(4, RATE), le(4, RATE), le(2, 1), le(2, 8)];
  return Buffer.concat([text('RIFF'), le(4, 36 + data.length), text('WAVEfmt '), le(4, 16), ...format, text('data'), le(4, data.length), data]);
}

function inAiff(law, data) {
  const rate = Buffer.concat([be(2, 16_383 + 12), be(4, RATE * 2 ** 19), be(4, 0)]);
  const common = Buffer.concat([be(2, 1), be(4, data.length), be(2, 16), rate, text(law), be(2, 0)]);
  const body = Buffer.concat([text('AIFCFVER'), be(4, 4), be(4, 0xa2805140), text('COMM'), be(4, common.length), common, text('SSND'), be(4, data.length + 8), be(4, 0), be(4, 0), data]);
  return Buffer.concat([text('FORM'), be(4, body.length), body]);
}

/** Gain of the decoded samples against the tone, with its sign. */
async function gain(file) {
  const { channelData } = await decode(new Uint8Array(file));
  let [dot, power] = [0, 0];
  tone.forEach((sample, i) => {
    dot += channelData[0][i] * sample;
    power += (sample * sample) / 32_768;
  });
  return dot / power;
}

const gains = {};
for (const [law, encode] of [['alaw', toALaw], ['ulaw', toMuLaw]]) {
  const data = Buffer.from(Array.from(tone, encode));
  for (const [container, wrap] of [['WAV', inWav], ['AIFF-C', inAiff], ['CAF', inCaf]]) {
    const value = (gains[`${law} ${container}`] = await gain(wrap(law, data)));
    console.log(`${law} in ${container}: gain ${value.toFixed(3)} (${(20 * Math.log10(Math.abs(value))).toFixed(1)} dB)`);
  }
}
const isNear = (key, wanted) => Math.abs(gains[key] / wanted - 1) < 0.02;
const right = ['alaw WAV', 'ulaw WAV', 'alaw AIFF-C', 'ulaw AIFF-C'].every((key) => isNear(key, 1));
process.exit(right && isNear('alaw CAF', -1 / 8) && isNear('ulaw CAF', 1 / 4) ? 0 : 1);
PROGRAM
node program.mjs

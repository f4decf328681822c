#!/usr/bin/env bash
# ogg-opus-decoder ignores the output gain of the Opus header.
#
# Packages: ogg-opus-decoder 1.7.5, opusscript 0.1.1 (to encode the packets)
# Guess:    the decoder multiplies by the output gain of the identification header, as RFC 7845 (5.1) expects of players: +9 dB.
# Seen:     files with an output gain of 0 and +9 dB decode to the same samples.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund ogg-opus-decoder@1.7.5 opusscript@0.1.1
cat > program.mjs <<'PROGRAM'
import { createRequire } from 'node:module';
import { OggOpusDecoder } from 'ogg-opus-decoder';

const OpusScript = createRequire(import.meta.url)('opusscript');
const FRAME = 960;
const PRE_SKIP = 312;

const CRC = Array.from({ length: 256 }, (_, i) => {
  let value = i << 24;
  for (let bit = 0; bit < 8; bit++) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value >>> 0;
});

function page(packet, { sequence, granule, flags }) {
  const lacing = [...Array(Math.floor(packet.length / 255)).fill(255), packet.length % 255];
  const head = Buffer.alloc(27 + lacing.length);
  head.write('OggS');
  head[5] = flags;
  head.writeBigInt64LE(BigInt(granule), 6);
  head.writeUInt32LE(1, 14);
  head.writeUInt32LE(sequence, 18);
  head[26] = lacing.length;
  head.set(lacing, 27);
  const whole = Buffer.concat([head, packet]);
  let crc = 0;
  for (const byte of whole) crc = ((crc << 8) ^ CRC[((crc >>> 24) ^ byte) & 255]) >>> 0;
  whole.writeUInt32LE(crc, 22);
  return whole;
}

function opusFile(gainDb) {
  const encoder = new OpusScript(48_000, 1, OpusScript.Application.AUDIO);
  const head = Buffer.alloc(19);
  head.write('OpusHead');
  head[8] = 1;
  head[9] = 1;
  head.writeUInt16LE(PRE_SKIP, 10);
  head.writeUInt32LE(48_000, 12);
  head.writeInt16LE(Math.round(gainDb * 256), 16);
  const tags = Buffer.alloc(16);
  tags.write('OpusTags');
  const pages = [
    page(head, { sequence: 0, granule: 0, flags: 2 }),
    page(tags, { sequence: 1, granule: 0, flags: 0 }),
  ];
  for (let i = 0; i < 50; i++) {
    const pcm = Buffer.alloc(2 * FRAME);
    for (let n = 0; n < FRAME; n++) {
      const t = (i * FRAME + n) / 48_000;
      pcm.writeInt16LE(Math.round(3_000 * Math.sin(2 * Math.PI * 440 * t)), 2 * n);
    }
    const packet = Buffer.from(encoder.encode(pcm, FRAME));
    pages.push(page(packet, { sequence: i + 2, granule: (i + 1) * FRAME, flags: i === 49 ? 4 : 0 }));
  }
  return Buffer.concat(pages);
}

async function levelDb(gainDb) {
  const decoder = new OggOpusDecoder();
  await decoder.ready;
  const { channelData, samplesDecoded, errors } = await decoder.decodeFile(opusFile(gainDb));
  const [samples] = channelData;
  const middle = samples.subarray(10_000, 40_000);
  const level = 10 * Math.log10(middle.reduce((sum, value) => sum + value * value, 0) / middle.length);
  console.log(`output gain ${gainDb} dB: ${samplesDecoded} samples, ${errors.length} errors, ${level.toFixed(2)} dB`);
  return level;
}

const difference = (await levelDb(9)) - (await levelDb(0));
console.log(`difference: ${difference.toFixed(2)} dB`);
process.exit(Math.abs(difference) < 0.01 ? 0 : 1);
PROGRAM
node program.mjs

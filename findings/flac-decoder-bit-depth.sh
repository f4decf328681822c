#!/usr/bin/env bash
# The FLAC decoder of wasm-audio-decoders returns no sound for files of 12 and 20 bits.
#
# Packages: @wasm-audio-decoders/flac 0.2.11, libflacjs 5.6.0 (asm.js variant, to make the files)
# Guess:    12 and 20 bits, which FLAC allows (4 to 32), decode like 16 and 24 bits; if not, errors says so.
# Seen:     no sample is a finite number, and errors is empty.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund @wasm-audio-decoders/flac@0.2.11 libflacjs@5.6.0
cat > program.mjs <<'PROGRAM'
import { createRequire } from 'node:module';
import { FLACDecoder } from '@wasm-audio-decoders/flac';

const flac = createRequire(import.meta.url)('libflacjs')('release.asm');
if (!flac.isReady()) await new Promise((resolve) => (flac.onready = resolve));

function encode(bits) {
  const full = 2 ** (bits - 1) - 1;
  const samples = Int32Array.from({ length: 8_192 }, (_, i) => Math.round(0.5 * full * Math.sin(i / 20)));
  const encoder = flac.create_libflac_encoder(44_100, 1, bits, 5, samples.length, false);
  const parts = [];
  flac.init_encoder_stream(encoder, (part) => parts.push(Buffer.from(part)), () => {});
  flac.FLAC__stream_encoder_process(encoder, [samples], samples.length);
  flac.FLAC__stream_encoder_finish(encoder);
  return Buffer.concat(parts);
}

const finite = {};
for (const bits of [12, 16, 20, 24]) {
  const decoder = new FLACDecoder();
  await decoder.ready;
  const { channelData, samplesDecoded, bitDepth, errors } = await decoder.decodeFile(encode(bits));
  finite[bits] = channelData[0].filter((value) => Number.isFinite(value)).length;
  const peak = channelData[0].reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  console.log(
    `${bits} bits: ${samplesDecoded} samples, bitDepth ${bitDepth}, ${errors.length} errors, peak ${peak}, ${finite[bits]} finite`,
  );
  if (errors.length > 0) process.exit(1);
}
process.exit(finite[16] > 8_000 && finite[24] > 8_000 && finite[12] < 1_000 && finite[20] < 1_000 ? 0 : 1);
PROGRAM
node program.mjs

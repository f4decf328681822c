#!/usr/bin/env bash
# The FLAC decoder of wasm-audio-decoders returns samples below -1.
#
# Packages: @wasm-audio-decoders/flac 0.2.11, libflacjs 5.6.0 (asm.js variant, to make the file)
# Guess:    a 16-bit sample s becomes s / 32768, as in Web Audio: -32768 is -1 and 32767 is 0.99997.
# Seen:     s / 32767: -32768 is -1.00003, outside the range of PCM floats, and samples that are scaled back by 32768 differ from the file.
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
const samples = Int32Array.from({ length: 4_096 }, (_, i) => [-32_768, 32_767, -16_384, 16_384][i % 4]);
const encoder = flac.create_libflac_encoder(44_100, 1, 16, 5, samples.length, false);
const parts = [];
flac.init_encoder_stream(encoder, (part) => parts.push(Buffer.from(part)), () => {});
flac.FLAC__stream_encoder_process(encoder, [samples], samples.length);
flac.FLAC__stream_encoder_finish(encoder);

const decoder = new FLACDecoder();
await decoder.ready;
const { channelData, samplesDecoded, bitDepth, errors } = await decoder.decodeFile(Buffer.concat(parts));
const decoded = channelData[0];
console.log(`${samplesDecoded} samples of ${bitDepth} bit, ${errors.length} errors`);
for (const i of [0, 1, 2, 3]) console.log(`${samples[i]} -> ${decoded[i]} (s / 32768 is ${samples[i] / 32_768})`);
const isBy32767 = samples.every((sample, i) => decoded[i] === Math.fround(sample / 32_767));
process.exit(samplesDecoded === samples.length && isBy32767 && decoded[0] < -1 ? 0 : 1);
PROGRAM
node program.mjs

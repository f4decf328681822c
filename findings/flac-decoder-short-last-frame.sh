#!/usr/bin/env bash
# The FLAC decoder of wasm-audio-decoders drops a short last frame of equal samples.
#
# Packages: @wasm-audio-decoders/flac 0.2.11, libflacjs 5.6.0 (asm.js variant, to make the files)
# Guess:    a file of 4,096 + n samples, whose last frame has n samples, decodes to 4,096 + n samples for every n.
# Seen:     if the last n samples are equal, it returns 4,096 samples for 15 of the 16 smallest n, without an error. libFLAC's own decoder returns them all.
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

const BLOCK = 4_096;
const flac = createRequire(import.meta.url)('libflacjs')('release.asm');
if (!flac.isReady()) await new Promise((resolve) => (flac.onready = resolve));

/** Encodes samples as 16-bit mono, in frames of BLOCK samples. */
function encode(samples) {
  const encoder = flac.create_libflac_encoder(44_100, 1, 16, 5, samples.length, false, BLOCK);
  const parts = [];
  flac.init_encoder_stream(encoder, (part) => parts.push(Buffer.from(part)), () => {});
  flac.FLAC__stream_encoder_process(encoder, [samples], samples.length);
  flac.FLAC__stream_encoder_finish(encoder);
  return Buffer.concat(parts);
}

/** Number of samples by libFLAC. */
function countByLibflac(file) {
  let at = 0;
  let count = 0;
  const decoder = flac.create_libflac_decoder(true);
  flac.init_decoder_stream(
    decoder,
    (size) => {
      const buffer = file.subarray(at, (at += size));
      return { buffer: new Uint8Array(buffer), readDataLength: buffer.length, error: false };
    },
    ([channel]) => void (count += channel.length / 2),
    (code, text) => console.log('libFLAC:', code, text),
  );
  flac.FLAC__stream_decoder_process_until_end_of_stream(decoder);
  return count;
}

const missing = [];
for (let n = 1; n <= 16; n++) {
  const samples = Int32Array.from({ length: BLOCK + n }, (_, i) => (i < BLOCK ? (i % 100) * 300 : 32_767));
  const file = encode(samples);
  const decoder = new FLACDecoder();
  await decoder.ready;
  const { samplesDecoded, errors } = await decoder.decodeFile(file);
  decoder.free();
  const isWhole = samplesDecoded === samples.length;
  if (!isWhole) missing.push(n);
  if (!isWhole || n === 1) console.log(`last frame of ${n}: ${samplesDecoded} of ${samples.length} samples, ${errors.length} errors; libFLAC decodes ${countByLibflac(file)}`);
}
console.log(`frames that were dropped: ${missing.join(', ') || 'none'}`);
process.exit(missing.length > 0 ? 0 : 1);
PROGRAM
node program.mjs

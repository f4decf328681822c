#!/usr/bin/env bash
# mpg123-decoder returns two channels for a mono file, its sibling decoders one.
#
# Packages: mpg123-decoder 1.0.3, @wasm-audio-decoders/ogg-vorbis 0.1.20 (same repository), wasm-media-encoders 0.7.0 (to make the files)
# Guess:    both decoders return one channel for a mono file.
# Seen:     the MP3 decoder returns two equal channels, the Vorbis decoder one.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund mpg123-decoder@1.0.3 @wasm-audio-decoders/ogg-vorbis@0.1.20 wasm-media-encoders@0.7.0
cat > program.mjs <<'PROGRAM'
import { createMp3Encoder, createOggEncoder } from 'wasm-media-encoders';
import { MPEGDecoder } from 'mpg123-decoder';
import { OggVorbisDecoder } from '@wasm-audio-decoders/ogg-vorbis';

const sine = Float32Array.from({ length: 44_100 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / 44_100));

async function encode(create) {
  const encoder = await create();
  encoder.configure({ channels: 1, sampleRate: 44_100 });
  return Buffer.concat([Buffer.from(encoder.encode([sine])), Buffer.from(encoder.finalize())]);
}

const mp3 = await encode(createMp3Encoder);
const mpeg = new MPEGDecoder();
await mpeg.ready;
const fromMp3 = mpeg.decode(mp3).channelData;
const vorbis = new OggVorbisDecoder();
await vorbis.ready;
const fromOgg = (await vorbis.decodeFile(await encode(createOggEncoder))).channelData;
// The mode of the first frame: 3 is mono.
const mode = mp3[mp3.indexOf(0xff) + 3] >> 6;
const areEqual = fromMp3.length === 2 && fromMp3[0].every((sample, i) => sample === fromMp3[1][i]);
console.log(`MP3 (mode ${mode}): ${fromMp3.length} channels, equal: ${areEqual}`);
console.log(`Ogg Vorbis: ${fromOgg.length} channel`);
process.exit(mode === 3 && areEqual && fromOgg.length === 1 ? 0 : 1);
PROGRAM
node program.mjs

#!/usr/bin/env bash
# audio-decode decodes a WAV file to nothing, without an error, if a chunk of odd size is before its samples.
#
# Packages: audio-decode 3.12.0 (@audio/decode-wav 1.5.1), wav-file-decoder 1.0.3 for comparison
# Guess:    a `bext` chunk before the samples does not matter, as with any other chunk that a decoder does not need.
# Seen:     with a coding history of even length the file is decoded, with one of odd length the result has no channel and a sample rate of 0: the pad byte after the chunk is not skipped.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund audio-decode@3.12.0 @audio/decode-wav@1.5.1 wav-file-decoder@1.0.3
cat > program.mjs <<'PROGRAM'
import decode from 'audio-decode';
import { decodeWavFile } from 'wav-file-decoder';

const RATE = 48_000;
const FRAMES = 4_800;

/** A chunk of a RIFF file: name, size, content, and a pad byte if the size is odd. */
function chunk(name, content) {
  const head = Buffer.alloc(8);
  head.write(name, 'latin1');
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content, Buffer.alloc(content.length % 2)]);
}

/** A mono WAV file of 16 bits with a `bext` chunk (EBU Tech 3285: 602 bytes, then the coding history). */
function wav(history) {
  const format = Buffer.alloc(16);
  format.writeUInt16LE(1, 0);
  format.writeUInt16LE(1, 2);
  format.writeUInt32LE(RATE, 4);
  format.writeUInt32LE(RATE * 2, 8);
  format.writeUInt16LE(2, 12);
  format.writeUInt16LE(16, 14);
  const samples = Buffer.alloc(FRAMES * 2);
  for (let i = 0; i < FRAMES; i++) samples.writeInt16LE(Math.round(16_384 * Math.sin((2 * Math.PI * 440 * i) / RATE)), i * 2);
  const extension = Buffer.concat([Buffer.alloc(602), Buffer.from(history, 'latin1')]);
  return chunk('RIFF', Buffer.concat([Buffer.from('WAVE'), chunk('fmt ', format), chunk('bext', extension), chunk('data', samples)]));
}

const results = [];
for (const history of ['A=PCM,F=48000,W=16\r\n', 'A=PCM,F=48000,W=16,M=mono\r\n']) {
  const file = wav(history);
  const { channelData, sampleRate } = await decode(file);
  const other = decodeWavFile(file.buffer.slice(file.byteOffset, file.byteOffset + file.length));
  const result = { size: 602 + history.length, channels: channelData.length, frames: channelData[0]?.length ?? 0, sampleRate, others: other.channelData[0].length };
  results.push(result);
  console.log(`bext of ${result.size} bytes: audio-decode has ${result.channels} channels, ${result.frames} frames at ${sampleRate} Hz; wav-file-decoder has ${result.others} frames`);
}
const [even, odd] = results;
const asSeen =
  even.size % 2 === 0 && odd.size % 2 === 1 && even.others === FRAMES && odd.others === FRAMES &&
  even.channels === 1 && even.frames === FRAMES && even.sampleRate === RATE && odd.channels === 0 && odd.sampleRate === 0;
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs

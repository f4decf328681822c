#!/usr/bin/env bash
# The Ogg encoder of wasm-media-encoders returns different bytes for the same input.
#
# Packages: wasm-media-encoders 0.7.0
# Guess:    a WebAssembly encoder without a seed or a date as input is deterministic: two encodings are equal.
# Seen:     the serial number of the stream is random, so 24 bytes differ in two files of three pages (serial and checksum of each page).
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund wasm-media-encoders@0.7.0
cat > program.mjs <<'PROGRAM'
import { createOggEncoder } from 'wasm-media-encoders';

const sine = Float32Array.from({ length: 44_100 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / 44_100));

async function encode() {
  const encoder = await createOggEncoder();
  encoder.configure({ channels: 1, sampleRate: 44_100 });
  return Buffer.concat([Buffer.from(encoder.encode([sine])), Buffer.from(encoder.finalize())]);
}

/** Offsets of the pages' headers. */
function pagesOf(file) {
  const pages = [];
  for (let at = file.indexOf('OggS'); at >= 0; at = file.indexOf('OggS', at + 4)) pages.push(at);
  return pages;
}

const [one, other] = [await encode(), await encode()];
const pages = pagesOf(one);
const inSerialOrChecksum = (at) => pages.some((page) => (at >= page + 14 && at < page + 18) || (at >= page + 22 && at < page + 26));
const different = [...one.keys()].filter((at) => one[at] !== other[at]);
console.log(`${one.length} and ${other.length} bytes in ${pages.length} pages, ${different.length} bytes differ`);
console.log(`serial numbers ${one.readUInt32LE(14)} and ${other.readUInt32LE(14)}`);
const asSeen = one.length === other.length && different.length > 0 && different.every(inSerialOrChecksum);
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs

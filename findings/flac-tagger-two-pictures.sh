#!/usr/bin/env bash
# In a FLAC file with two pictures, a cover that flac-tagger writes is not the cover that it reads back, and the old one comes back with the next save.
#
# Packages: flac-tagger 2.0.0
# Guess:    a picture that `writeFlacTags` writes is the one that `readFlacTags` gives afterwards, and a save of the tags as they were read changes nothing.
# Seen:     a write removes the first picture and puts the new one behind all others, but a read gives the first one: of front and back, the file then has back and new, and the back is read as the cover.
#           A save of the tags as they were read makes the two pictures change places, and every picture that is written becomes a front cover, also one that was read as a back cover.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund flac-tagger@2.0.0
cat > program.mjs <<'PROGRAM'
import { readFileSync, writeFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { readFlacTags, writeFlacTags } from 'flac-tagger';

/** A checksum of FLAC or PNG, most significant bit first or least. */
function crc(bytes, bits, polynomial) {
  let value = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const isSet = ((value >> (bits - 1)) & 1) !== ((byte >> bit) & 1);
      value = ((value << 1) & (2 ** bits - 1)) ^ (isSet ? polynomial : 0);
    }
  }
  return value;
}
function crc32(bytes) {
  let value = 0xff_ff_ff_ff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xed_b8_83_20 : value >>> 1;
  }
  return ~value >>> 0;
}
const big = (value, size = 4) => Buffer.from(value.toString(16).padStart(2 * size, '0'), 'hex');
const little = (value) => Buffer.from(big(value)).reverse();

/** A PNG of one pixel. */
function png(red, green, blue) {
  const chunk = (name, body) => {
    const content = Buffer.concat([Buffer.from(name), body]);
    return Buffer.concat([big(body.length), content, big(crc32(content))]);
  };
  const header = Buffer.concat([big(1), big(1), Buffer.from([8, 2, 0, 0, 0])]);
  const pixel = deflateSync(Buffer.from([0, red, green, blue]));
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', header), chunk('IDAT', pixel), chunk('IEND', Buffer.alloc(0))]);
}
const images = { front: png(255, 0, 0), back: png(0, 255, 0), new: png(0, 0, 255) };
const nameOf = (bytes) => Object.keys(images).find((name) => images[name].equals(bytes)) ?? 'unknown';

/** A FLAC file of 4,096 samples of silence with a title, a front cover (type 3) and a back cover (type 4). */
function flac() {
  const block = (type, body) => Buffer.concat([Buffer.from([type]), big(body.length, 3), body]);
  const info = Buffer.concat([big(4096, 2), big(4096, 2), Buffer.alloc(6), big((44_100n << 44n) | (15n << 36n) | 4096n, 8), Buffer.alloc(16)]);
  const text = (value) => Buffer.concat([little(value.length), Buffer.from(value)]);
  const comments = Buffer.concat([text('finding'), little(1), text('TITLE=Silence')]);
  const picture = (type, image) =>
    Buffer.concat([big(type), big(9), Buffer.from('image/png'), big(0), big(1), big(1), big(24), big(0), big(image.length), image]);
  const header = Buffer.from([0xff, 0xf8, 0xc9, 0x08, 0]);
  const frame = Buffer.concat([header, Buffer.from([crc(header, 8, 0x07), 0, 0, 0])]);
  const blocks = [block(0, info), block(4, comments), block(6, picture(3, images.front)), block(0x86, picture(4, images.back))];
  return Buffer.concat([Buffer.from('fLaC'), ...blocks, frame, big(crc(frame, 16, 0x80_05), 2)]);
}

/** The pictures of a FLAC file in their order, by its metadata blocks. */
function pictures(file) {
  const bytes = readFileSync(file);
  const found = [];
  for (let start = 4, isLast = false; !isLast; ) {
    const length = bytes.readUIntBE(start + 1, 3);
    isLast = bytes[start] > 0x7f;
    const body = bytes.subarray(start + 4, start + 4 + length);
    if ((bytes[start] & 0x7f) === 6) found.push(`${nameOf(body.subarray(-images.front.length))} (type ${body.readUInt32BE(0)})`);
    start += 4 + length;
  }
  return found.join(', ');
}
const state = async (file) => `${pictures(file)}; read as cover: ${nameOf((await readFlacTags(file)).picture.buffer)}`;

writeFileSync('cover.flac', flac());
writeFileSync('saved.flac', flac());
const original = await state('cover.flac');
console.log(`original:            ${original}`);
await writeFlacTags({ tagMap: { title: 'Silence' }, picture: { buffer: images.new } }, 'cover.flac');
const covered = await state('cover.flac');
console.log(`new cover written:   ${covered}`);

const saves = [];
for (let i = 1; i <= 2; i++) {
  await writeFlacTags(await readFlacTags('saved.flac'), 'saved.flac');
  saves.push(await state('saved.flac'));
  console.log(`saved as read, ${i} x:  ${saves.at(-1)}`);
}
const asSeen =
  original === 'front (type 3), back (type 4); read as cover: front' &&
  covered === 'back (type 4), new (type 3); read as cover: back' &&
  saves[0] === 'back (type 4), front (type 3); read as cover: back' &&
  saves[1] === 'front (type 3), back (type 3); read as cover: front';
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs

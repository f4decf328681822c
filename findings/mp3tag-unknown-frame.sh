#!/usr/bin/env bash
# mp3tag.js loses every frame that stands after one it does not know.
#
# Packages: mp3tag.js 3.16.0, wasm-media-encoders 0.7.0 (to make the MP3 file)
# Guess:    in a tag with GRP1 (the grouping of Apple's programs), `read` leaves out that frame, as the page says of `unsupported: false` ("skip"), and reads all others; a changed title that is saved changes only the title.
# Seen:     `read` stops at the frame: tempo, key and genre behind it are not there, without an error, and `save` deletes them from the file. Without GRP1 they are read and stay.
#           With `unsupported: true` for both they stay too.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund mp3tag.js@3.16.0 wasm-media-encoders@0.7.0
cat > program.mjs <<'PROGRAM'
import { createMp3Encoder } from 'wasm-media-encoders';
import MP3Tag from 'mp3tag.js';

const encoder = await createMp3Encoder();
encoder.configure({ sampleRate: 44_100, channels: 1, bitrate: 128 });
const tone = Float32Array.from({ length: 44_100 }, (_, i) => 0.3 * Math.sin((2 * Math.PI * 440 * i) / 44_100));
const audio = Buffer.concat([Buffer.from(encoder.encode([tone])), Buffer.from(encoder.finalize())]);

/** A text frame of ID3v2.3: identifier, size, no flags, Latin-1. */
function frame(id, value) {
  const head = Buffer.from([0, 0, 0, value.length + 1, 0, 0, 0]);
  return Buffer.concat([Buffer.from(id), head, Buffer.from(value, 'latin1')]);
}

/** The audio with a tag of ID3v2.3 in front of it. */
function tagged(frames) {
  const body = Buffer.concat(frames.map(([id, value]) => frame(id, value)));
  return Buffer.concat([Buffer.from('ID3'), Buffer.from([3, 0, 0, 0, 0, body.length >> 7, body.length & 127]), body, audio]);
}

/** The identifiers of all frames in a file. */
function framesOf(file) {
  const ids = [];
  const end = 10 + file.subarray(6, 10).reduce((size, byte) => size * 128 + byte, 0);
  for (let at = 10; at < end && file[at] !== 0; at += 10 + file.readUInt32BE(at + 4)) ids.push(file.toString('latin1', at, at + 4));
  return ids;
}

/** Changes the title, and tells which frames were read and which are in the file afterwards. */
function changeTitle(file, unsupported) {
  const tag = new MP3Tag(new Uint8Array(file).buffer);
  tag.read({ unsupported });
  const read = Object.keys(tag.tags.v2);
  tag.tags.v2.TIT2 = 'New title';
  tag.save({ id3v2: { version: 3, unsupported } });
  return { read, saved: framesOf(Buffer.from(tag.buffer)), error: tag.error };
}

const frames = [['TIT2', 'Title'], ['TPE1', 'Artist'], ['GRP1', 'Set'], ['TBPM', '128'], ['TKEY', 'Am'], ['TCON', 'House']];
const known = frames.filter(([id]) => id !== 'GRP1');
const later = ['TBPM', 'TKEY', 'TCON'];
const cases = { 'without GRP1': [known, false], 'with GRP1': [frames, false], 'with GRP1, unsupported: true': [frames, true] };
const results = {};
for (const [name, [content, unsupported]] of Object.entries(cases)) {
  const { read, saved, error } = (results[name] = changeTitle(tagged(content), unsupported));
  console.log(`${name}: file has ${content.map(([id]) => id).join(' ')}; read ${read.join(' ')}; saved ${saved.join(' ')}; error: ${error || 'none'}`);
}
const hasLater = (name) => later.every((id) => results[name].saved.includes(id));
const lost = results['with GRP1'];
const asSeen = hasLater('without GRP1') && hasLater('with GRP1, unsupported: true') && lost.error === '' && !later.some((id) => lost.read.includes(id) || lost.saved.includes(id));
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs

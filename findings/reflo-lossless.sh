#!/usr/bin/env bash
# A "lossless" flo file of reflo has other samples than the WAV file it was made from, noise, or none.
#
# Packages: @flo-audio/reflo 0.1.2
# Guess:    a WAV file of 16 or 24 bits that is encoded without `lossy` and decoded again has the same samples, at every compression level of 0 to 9.
# Seen:     at levels 1 to 9 nearly all 16-bit samples of a tone differ, each less than one step nearer to zero; at level 0 the result is noise, louder than the tone.
#           A WAV file of 24 bits becomes a flo file without a sample. `validate_flo_file` and the checksum say that all of them are fine, and there is no error.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund @flo-audio/reflo@0.1.2
cat > program.mjs <<'PROGRAM'
import { readFileSync } from 'node:fs';
import * as reflo from '@flo-audio/reflo';

reflo.initSync({ module: readFileSync('node_modules/@flo-audio/reflo/reflo_bg.wasm') });
const RATE = 44_100;

/** A mono WAV file of integer samples. */
function wav(samples, bits) {
  const bytes = bits / 8;
  const file = Buffer.alloc(44 + samples.length * bytes);
  file.write('RIFF', 0);
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(RATE, 24);
  file.writeUInt32LE(RATE * bytes, 28);
  file.writeUInt16LE(bytes, 32);
  file.writeUInt16LE(bits, 34);
  file.write('data', 36);
  file.writeUInt32LE(file.length - 44, 40);
  samples.forEach((sample, i) => file.writeIntLE(sample, 44 + i * bytes, bytes));
  return file;
}

/** Samples of the WAV file that reflo writes: 32-bit floats. */
function read(bytes) {
  const file = Buffer.from(bytes);
  const at = file.indexOf('data') + 8;
  if (file.readUInt16LE(file.indexOf('fmt ') + 8) !== 3) throw new Error('The decoded WAV file has no floats');
  return Array.from({ length: file.readUInt32LE(at - 4) / 4 }, (_, i) => file.readFloatLE(at + 4 * i));
}

function measure(bits, level) {
  const scale = 2 ** (bits - 1);
  const samples = Array.from({ length: RATE * 2 }, (_, i) => Math.round(0.5 * (scale - 1) * Math.sin((2 * Math.PI * 440 * i) / RATE)));
  const flo = reflo.encode_audio_to_flo(wav(samples, bits), false, 0, level);
  const decoded = read(reflo.decode_flo_to_wav(flo)).map((value) => value * scale);
  let [differ, most, power, error] = [0, 0, 0, 0];
  decoded.forEach((value, i) => {
    if (value !== samples[i]) differ++;
    most = Math.max(most, Math.abs(value - samples[i]));
    power += samples[i] ** 2;
    error += (value - samples[i]) ** 2;
  });
  const isValid = reflo.validate_flo_file(flo) && reflo.get_flo_file_info(flo).crc_valid;
  return { count: decoded.length, share: differ / samples.length, most, noise: 10 * Math.log10(error / power), isValid };
}

const results = new Map();
for (const [bits, level] of [[16, 0], [16, 1], [16, 5], [16, 9], [24, 5]]) {
  const result = measure(bits, level);
  results.set(`${bits}/${level}`, result);
  const text = result.count === 0 ? 'no sample' : `${(100 * result.share).toFixed(1)} % of the samples differ, by up to ${result.most.toFixed(2)} steps; the difference has ${result.noise.toFixed(1)} dB of the tone`;
  console.log(`${bits} bits, level ${level}: ${text}; valid: ${result.isValid}`);
}
const near = ['16/1', '16/5', '16/9'].every((key) => results.get(key).share > 0.99 && results.get(key).most <= 1);
const asSeen = near && results.get('16/0').noise > 0 && results.get('24/5').count === 0 && [...results.values()].every((result) => result.isValid);
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs

#!/usr/bin/env bash
# Meyda finds other notes in the second song of a process if its sample rate differs from the first one.
#
# Packages: meyda 5.6.3
# Guess:    `Meyda.sampleRate` and `Meyda.bufferSize` count for each call of `Meyda.extract`: after they change, chroma and MFCC are those of a process that begins with them.
# Seen:     the filter banks of the first call are kept. After a song of 44.1 kHz, a song of 48 kHz is measured 1.5 semitones too low (44.1 / 48): A is G#, C is A#, without an error.
#           After another `bufferSize`, chroma and MFCC are NaN.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund meyda@5.6.3
cat > extract.mjs <<'PROGRAM'
// Prints chroma and MFCC of notes, for each "RATE:SIZE" of the arguments, one after the other in this process.
import Meyda from 'meyda';

const FREQUENCIES = [220, 261.63, 329.63, 440, 880];
const results = process.argv.slice(2).map((argument) => {
  const [rate, size] = argument.split(':').map(Number);
  Meyda.sampleRate = rate;
  Meyda.bufferSize = size;
  return FREQUENCIES.map((frequency) => {
    const samples = Float32Array.from({ length: size }, (_, i) => 0.5 * Math.sin((2 * Math.PI * frequency * i) / rate));
    const { chroma, mfcc } = Meyda.extract(['chroma', 'mfcc'], samples);
    return { strongest: chroma.indexOf(Math.max(...chroma)), mfcc: mfcc[1] };
  });
});
console.log(JSON.stringify(results));
PROGRAM
cat > program.mjs <<'PROGRAM'
import { execFileSync } from 'node:child_process';

const NAMES = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'];

/** The notes and second MFCCs of the last setting, in a process that had the others before. */
function lastOf(...settings) {
  const last = JSON.parse(execFileSync('node', ['extract.mjs', ...settings], { encoding: 'utf8' })).at(-1);
  const notes = last.map((note) => NAMES[note.strongest] ?? 'none').join(' ');
  console.log(`${settings.join(', then ').padEnd(28)} notes: ${notes.padEnd(24)} MFCC 1: ${last.map((note) => note.mfcc?.toFixed(2) ?? 'NaN').join(' ')}`);
  return notes;
}

console.log('input: A3 C4 E4 A4 A5');
const first = [lastOf('44100:4096'), lastOf('48000:4096'), lastOf('44100:8192')];
const otherRate = lastOf('44100:4096', '48000:4096');
const otherSize = lastOf('44100:4096', '44100:8192');
const asSeen = first.every((notes) => notes === 'A C E A A') && otherRate === 'G# A# D G# G#' && otherSize === 'none none none none none';
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs

#!/usr/bin/env bash
# A tempo change of midi-writer-js at a later tick stands at the start of the file.
#
# Packages: midi-writer-js 3.2.1, midi-file 1.2.4 (an independent reader)
# Guess:    `setTempo(80, 512)` puts the change at tick 512, as its page says, so that 4 beats at 120 BPM and 4 at 80 BPM last 5.00 s.
# Seen:     both tempos stand at tick 0, without an error, and the 8 beats last 6.00 s. A tempo event without a tick that is added between the notes stands at its place.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund midi-writer-js@3.2.1 midi-file@1.2.4
cat > program.mjs <<'PROGRAM'
import { createRequire } from 'node:module';
import midiFile from 'midi-file';

const require = createRequire(import.meta.url);
const library = require('midi-writer-js');
const { NoteEvent, TempoEvent, Track, Writer } = library.default ?? library;

const bar = () => new NoteEvent({ pitch: ['C4'], duration: '1' });
const withTick = () => {
  const track = new Track();
  track.setTempo(120);
  track.setTempo(80, 512);
  return track.addEvent([bar(), bar()]);
};
const betweenNotes = () => {
  const track = new Track();
  track.setTempo(120);
  return track.addEvent([bar(), new TempoEvent({ bpm: 80 }), bar()]);
};

/** The ticks of the tempos in a file, and the seconds until its last note ends. */
function read(track) {
  const { header, tracks } = midiFile.parseMidi(new Writer(track).buildFile());
  let [tick, seconds, perBeat] = [0, 0, 500_000];
  let end = 0;
  const tempos = [];
  for (const event of tracks.flat()) {
    tick += event.deltaTime;
    seconds += (event.deltaTime / header.ticksPerBeat) * (perBeat / 1e6);
    if (event.type === 'setTempo') {
      perBeat = event.microsecondsPerBeat;
      tempos.push({ tick, bpm: Math.round(6e7 / perBeat) });
    }
    if (event.type === 'noteOff') end = seconds;
  }
  return { tempos, end };
}

const seen = { 'with a tick': read(withTick()), 'between the notes': read(betweenNotes()) };
for (const [way, { tempos, end }] of Object.entries(seen)) {
  console.log(`change ${way}: ${tempos.map(({ bpm, tick }) => `${bpm} BPM at tick ${tick}`).join(', ')}; 8 beats last ${end.toFixed(2)} s, wanted 5.00`);
}
const isAt = (way, tick) => seen[way].tempos.at(-1).tick === tick;
process.exit(isAt('with a tick', 0) && seen['with a tick'].end > 5.9 && isAt('between the notes', 512) ? 0 : 1);
PROGRAM
node program.mjs

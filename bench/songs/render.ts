/** Compositions as sound: instruments by fluidsynth and a General MIDI soundfont, the voice by our own singer. */
import { execFile } from 'node:child_process';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import { parseWav, readWavFrames } from '../../audio/decode/wav.ts';
import { Clock } from './clock.ts';
import type { TimedNote } from './clock.ts';
import { compose } from './compose.ts';
import type { Composition, Part } from './compose.ts';
import { midiFile } from './midi.ts';
import type { MidiPart } from './midi.ts';
import { doubled, inRoom, level, mastered, narrowed, pumped } from './mix.ts';
import type { Stems } from './mix.ts';
import { Dice } from './random.ts';
import { sing } from './singer.ts';
import type { TrueSong } from './truth.ts';

const run = promisify(execFile);
/** What Debian's `fluid-soundfont-gm` installs; MASHUP_BENCH_SOUNDFONT names another. */
const SOUNDFONT = process.env['MASHUP_BENCH_SOUNDFONT'] ?? '/usr/share/sounds/sf2/FluidR3_GM.sf2';
const KEYS = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'];
/** Instruments that lead where nobody sings: oohs, violin, trumpet, saxophone, flute, square wave. */
const LEADS = [53, 40, 56, 65, 73, 80];
/** Mean levels of the stems in a mix (dB), and how far mixes differ from them. */
const LEVELS_DB = { vocals: -24, drums: -24, bass: -25, other: -27 };
const LEVEL_SPREAD_DB = 3.5;

/** Null where songs can be made, else what to do about it. */
export async function missingSynthesizer(): Promise<string | null> {
  const present = await Promise.all([run('fluidsynth', ['--version']), access(SOUNDFONT)]).then(
    () => true,
    () => false,
  );
  return present
    ? null
    : 'Generated songs need fluidsynth and a soundfont: apt-get install fluidsynth fluid-soundfont-gm (or name one by MASHUP_BENCH_SOUNDFONT).';
}

async function play(parts: readonly MidiPart[], cents: number, samples: number, folder: string): Promise<StereoChunk> {
  const midi = join(folder, 'part.mid');
  const wav = join(folder, 'part.wav');
  await writeFile(midi, midiFile(parts, cents));
  const output = ['-T', 'wav', '-O', 'float', '-F', wav];
  await run('fluidsynth', ['-ni', '-q', '-g', '0.4', '-r', String(SAMPLE_RATE), ...output, SOUNDFONT, midi]);
  const bytes = new Uint8Array(await readFile(wav));
  const info = parseWav(bytes);
  const [left, right] = readWavFrames(bytes, info, 0, Math.min(info.frames, samples));
  const fit = (channel: Float32Array): Float32Array => {
    const out = new Float32Array(samples);
    out.set(channel);
    return out;
  };
  return [fit(left!), fit(right!)];
}

/** Takes what was played to the desk: every song is mixed in its own way. */
function mix(dry: Stems, { style }: Composition, kicksSec: readonly number[], dice: Dice): Stems {
  const stems = { ...dry };
  const away = (): number => dice.between(-LEVEL_SPREAD_DB, LEVEL_SPREAD_DB);
  if (dice.chance(0.3)) stems.vocals = doubled(stems.vocals, dice.between(0.2, 0.5));
  if (dice.chance(0.6)) stems.vocals = inRoom(stems.vocals, dice.between(0.8, 2.2), dice.between(-18, -9));
  // Soundfonts have wide basses and leads; desks put both in the middle, more or less.
  stems.vocals = narrowed(stems.vocals, dice.pick([0.02, 0.08, 0.15]));
  stems.bass = narrowed(stems.bass, dice.pick([0, 0, 0.02, 0.2]));
  stems.other = narrowed(stems.other, dice.pick([0.05, 0.25, 0.5, 1]));
  if (style.sidechain) stems.other = pumped(stems.other, kicksSec, dice.between(0.5, 0.9), dice.between(0.2, 0.35));
  return {
    vocals: level(stems.vocals, LEVELS_DB.vocals + away()),
    drums: level(stems.drums, LEVELS_DB.drums + away()),
    bass: level(stems.bass, LEVELS_DB.bass + away()),
    other: level(stems.other, LEVELS_DB.other + away()),
  };
}

/** The song of a seed: the same seed and soundfont give the same song. */
export async function makeSong(seed: number): Promise<TrueSong> {
  const song = compose(seed);
  // Choices of the playing and mixing have a stream of their own: notes stay where desks change.
  const dice = new Dice(seed + 10_000);
  const clock = new Clock(song, dice);
  const samples = Math.ceil(clock.durationSec * SAMPLE_RATE);
  const cents = dice.chance(0.2) ? dice.between(-35, 35) : 0;
  const sung = dice.chance(0.7);
  const played = (part: Part): TimedNote[] => clock.play(song.notes[part]);
  const folder = await mkdtemp(join(tmpdir(), 'mashup-bench-song-'));
  const one = (part: Part, channel: number, program: number, pan: number): MidiPart => ({
    notes: played(part),
    channel,
    program,
    pan,
  });
  const instruments = (...parts: MidiPart[]): Promise<StereoChunk> => play(parts, cents, samples, folder);
  try {
    const { programs } = song;
    const voice = (): StereoChunk => {
      const alone = sing(played('melody'), samples, dice.chance(0.5), cents, dice);
      return [alone, alone.slice()];
    };
    const dry = {
      vocals: sung ? voice() : await instruments(one('melody', 3, dice.pick(LEADS), 64)),
      drums: await instruments(one('drums', 9, 0, 64)),
      bass: await instruments(one('bass', 0, programs.bass, 64)),
      other: await instruments(
        one('chords', 1, programs.chords, dice.pick([24, 44, 64, 84])),
        one('pad', 2, programs.pad, dice.pick([44, 64, 100])),
      ),
    };
    const kicksSec = song.kicks.map((beat) => clock.timeAt(beat));
    const stems = mastered(mix(dry, song, kicksSec, dice), dice.pick([-1, 0, 3, 6]));
    const { beats } = clock;
    const { tonic, mode } = song.harmony;
    return {
      name: song.name,
      bpm: (60 * beats.length) / (clock.durationSec - beats[0]!),
      steady: clock.steady,
      meter: song.style.meter,
      key: `${KEYS[tonic]} ${mode}`,
      beats,
      downbeats: beats.filter((_, i) => i % song.style.meter === 0),
      stems,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

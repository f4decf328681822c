/** Renders compositions: instruments with fluidsynth and a General MIDI soundfont, the voice with a synthesizer (`singer.ts`). */
import { execFile } from 'node:child_process';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import { readPcm } from '../../audio/decode/pcm.ts';
import { parseWav } from '../../audio/decode/wav.ts';
import { Timing } from './timing.ts';
import type { TimedNote } from './timing.ts';
import { compose } from './compose.ts';
import type { Composition, Part } from './compose.ts';
import { midiFile } from './midi.ts';
import type { MidiPart } from './midi.ts';
import { addDoubling, addReverb, level, master, narrowStereo, duckAt } from './mix.ts';
import type { Stems } from './mix.ts';
import { SeededRandom } from './random.ts';
import { sing } from './singer.ts';
import type { AnnotatedSong } from './annotated-songs.ts';

const run = promisify(execFile);
/** The soundfont of Debian's `fluid-soundfont-gm`, or that of MASHUP_BENCH_SOUNDFONT. */
const SOUNDFONT = process.env['MASHUP_BENCH_SOUNDFONT'] ?? '/usr/share/sounds/sf2/FluidR3_GM.sf2';
const KEYS = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'];
/** Programs of the melody in songs without a singer: oohs, violin, trumpet, saxophone, flute, square wave. */
const LEADS = [53, 40, 56, 65, 73, 80];
/** Mean levels of the stems in a mix (dB), and the largest deviation from them. */
const LEVELS_DB = { vocals: -24, drums: -24, bass: -25, other: -27 };
const LEVEL_SPREAD_DB = 3.5;

/** Null if songs can be made, else a message that says what to install. */
export async function missingSynthesizer(): Promise<string | null> {
  const present = await Promise.all([run('fluidsynth', ['--version']), access(SOUNDFONT)]).then(
    () => true,
    () => false,
  );
  return present
    ? null
    : 'Generated songs need fluidsynth and a soundfont: apt-get install fluidsynth fluid-soundfont-gm (or name one by MASHUP_BENCH_SOUNDFONT).';
}

/** Synthesizes parts with fluidsynth. */
async function synthesize(
  parts: readonly MidiPart[],
  cents: number,
  samples: number,
  folder: string,
): Promise<StereoChunk> {
  const midi = join(folder, 'part.mid');
  const wav = join(folder, 'part.wav');
  await writeFile(midi, midiFile(parts, cents));
  const output = ['-T', 'wav', '-O', 'float', '-F', wav];
  await run('fluidsynth', ['-ni', '-q', '-g', '0.4', '-r', String(SAMPLE_RATE), ...output, SOUNDFONT, midi]);
  const bytes = new Uint8Array(await readFile(wav));
  const info = parseWav(bytes);
  const [left, right] = readPcm(bytes, info, 0, Math.min(info.frames, samples));
  const fit = (channel: Float32Array): Float32Array => {
    const out = new Float32Array(samples);
    out.set(channel);
    return out;
  };
  return [fit(left!), fit(right!)];
}

/** Mixes stems with random effects and levels. */
function mix(dry: Stems, { style }: Composition, kicksSec: readonly number[], random: SeededRandom): Stems {
  const stems = { ...dry };
  const deviation = (): number => random.between(-LEVEL_SPREAD_DB, LEVEL_SPREAD_DB);
  if (random.chance(0.3)) stems.vocals = addDoubling(stems.vocals, random.between(0.2, 0.5));
  if (random.chance(0.6)) stems.vocals = addReverb(stems.vocals, random.between(0.8, 2.2), random.between(-18, -9));
  // Soundfonts have wide basses and leads. In real mixes both are near the centre.
  stems.vocals = narrowStereo(stems.vocals, random.pick([0.02, 0.08, 0.15]));
  stems.bass = narrowStereo(stems.bass, random.pick([0, 0, 0.02, 0.2]));
  stems.other = narrowStereo(stems.other, random.pick([0.05, 0.25, 0.5, 1]));
  if (style.sidechain) stems.other = duckAt(stems.other, kicksSec, random.between(0.5, 0.9), random.between(0.2, 0.35));
  return {
    vocals: level(stems.vocals, LEVELS_DB.vocals + deviation()),
    drums: level(stems.drums, LEVELS_DB.drums + deviation()),
    bass: level(stems.bass, LEVELS_DB.bass + deviation()),
    other: level(stems.other, LEVELS_DB.other + deviation()),
  };
}

/** Makes the song of a seed. Equal seeds and soundfonts give equal songs. */
export async function generateSong(seed: number): Promise<AnnotatedSong> {
  const song = compose(seed);
  // Performance and mix have their own random numbers, so that changes of the mix do not change the notes.
  const random = new SeededRandom(seed + 10_000);
  const timing = new Timing(song, random);
  const samples = Math.ceil(timing.durationSec * SAMPLE_RATE);
  const cents = random.chance(0.2) ? random.between(-35, 35) : 0;
  const sung = random.chance(0.7);
  const played = (part: Part): TimedNote[] => timing.play(song.notes[part]);
  const folder = await mkdtemp(join(tmpdir(), 'mashup-bench-song-'));
  const one = (part: Part, channel: number, program: number, pan: number): MidiPart => ({
    notes: played(part),
    channel,
    program,
    pan,
  });
  const instruments = (...parts: MidiPart[]): Promise<StereoChunk> => synthesize(parts, cents, samples, folder);
  try {
    const { programs } = song;
    const voice = (): StereoChunk => {
      const alone = sing(played('melody'), samples, random.chance(0.5), cents, random);
      return [alone, alone.slice()];
    };
    const dry = {
      vocals: sung ? voice() : await instruments(one('melody', 3, random.pick(LEADS), 64)),
      drums: await instruments(one('drums', 9, 0, 64)),
      bass: await instruments(one('bass', 0, programs.bass, 64)),
      other: await instruments(
        one('chords', 1, programs.chords, random.pick([24, 44, 64, 84])),
        one('pad', 2, programs.pad, random.pick([44, 64, 100])),
      ),
    };
    const kicksSec = song.kicks.map((beat) => timing.timeAt(beat));
    const stems = master(mix(dry, song, kicksSec, random), random.pick([-1, 0, 3, 6]));
    const { beats } = timing;
    const { tonic, mode } = song.harmony;
    return {
      name: song.name,
      bpm: (60 * beats.length) / (timing.durationSec - beats[0]!),
      steady: timing.steady,
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

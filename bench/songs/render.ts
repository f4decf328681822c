/** Compositions as sound: instruments by fluidsynth and a General MIDI soundfont, the voice by our own singer. */
import { execFile } from 'node:child_process';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseWav, readWavFrames } from '../../services/audio/wav.ts';
import type { StereoChunk } from '../../services/audio/decode.ts';
import { compose } from './compose.ts';
import { midiFile } from './midi.ts';
import type { Part } from './midi.ts';
import { sing } from './singer.ts';
import type { TrueSong } from './truth.ts';

const run = promisify(execFile);
const RATE = 44_100;
/** What Debian's `fluid-soundfont-gm` installs; MASHUP_BENCH_SOUNDFONT names another. */
const SOUNDFONT = process.env['MASHUP_BENCH_SOUNDFONT'] ?? '/usr/share/sounds/sf2/FluidR3_GM.sf2';
const KEYS = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B'];
/** Levels of the stems in the mix (RMS). */
const LEVELS = { vocals: 0.09, drums: 0.08, bass: 0.075, other: 0.06 };

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

async function play(parts: readonly Part[], bpm: number, samples: number, folder: string): Promise<StereoChunk> {
  const midi = join(folder, 'part.mid');
  const wav = join(folder, 'part.wav');
  await writeFile(midi, midiFile(parts, bpm));
  await run('fluidsynth', ['-ni', '-q', '-g', '0.5', '-r', String(RATE), '-T', 'wav', '-F', wav, SOUNDFONT, midi]);
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

function level(channels: StereoChunk, rms: number): StereoChunk {
  let power = 1e-12;
  for (const channel of channels) for (const value of channel) power += value * value;
  const gain = rms / Math.sqrt(power / (2 * channels[0].length));
  return [channels[0].map((value) => value * gain), channels[1].map((value) => value * gain)];
}

/** The song of a seed: the same seed and soundfont give the same song. */
export async function makeSong(seed: number): Promise<TrueSong> {
  const song = compose(seed);
  const beatSec = 60 / song.bpm;
  const beatCount = song.bars * song.meter;
  const samples = Math.round(beatCount * beatSec * RATE);
  const folder = await mkdtemp(join(tmpdir(), 'mashup-bench-song-'));
  try {
    const { chords, pad, bass } = song.programs;
    const voice = sing(song.melody, song.bpm, samples, song.voiceIsHigh, seed);
    const backing: Part[] = [
      { notes: song.chords, channel: 1, program: chords, pan: 40 },
      { notes: song.pad, channel: 2, program: pad, pan: 90 },
    ];
    const stems = {
      vocals: level([voice, voice], LEVELS.vocals),
      drums: level(
        await play([{ notes: song.drums, channel: 9, program: 0, pan: 64 }], song.bpm, samples, folder),
        LEVELS.drums,
      ),
      bass: level(
        await play([{ notes: song.bass, channel: 0, program: bass, pan: 64 }], song.bpm, samples, folder),
        LEVELS.bass,
      ),
      other: level(await play(backing, song.bpm, samples, folder), LEVELS.other),
    };
    const beats = Array.from({ length: beatCount }, (_, i) => i * beatSec);
    return {
      name: song.name,
      bpm: song.bpm,
      meter: song.meter,
      key: `${KEYS[song.tonic]} ${song.mode}`,
      beats,
      downbeats: beats.filter((_, i) => i % song.meter === 0),
      stems,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

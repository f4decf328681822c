/** Cases of files with more than two channels: each channel has its own tone, so that its place and level can be measured. */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { decodeAudio } from '../../../audio/decode/decode.ts';
import { encodeFlac } from '../../../audio/encode/encode-flac.ts';
import { encodeWav16 } from '../../../audio/encode/encode-wav.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import type { HardCase, HardOutcome } from '../hard-case.ts';

const FIXTURES = new URL('../fixtures/', import.meta.url);
const SOUND_SEC = 0.6;
const AMPLITUDE = 0.5;
/** Tone of each channel: left, right, centre, low-frequency, left surround, right surround. */
const TONES = [300, 400, 500, 600, 700, 800];
/** Gains to left and right by ITU-R BS.775, scaled so that a side never exceeds full scale. */
const SCALE = 1 / (1 + 2 * Math.SQRT1_2);
const GAINS_5_1: readonly (readonly [number, number])[] = [
  [SCALE, 0],
  [0, SCALE],
  [SCALE * Math.SQRT1_2, SCALE * Math.SQRT1_2],
  [0, 0],
  [SCALE * Math.SQRT1_2, 0],
  [0, SCALE * Math.SQRT1_2],
];
const QUAD_SCALE = 1 / (1 + Math.SQRT1_2);
const GAINS_QUAD: readonly (readonly [number, number])[] = [
  [QUAD_SCALE, 0],
  [0, QUAD_SCALE],
  [QUAD_SCALE * Math.SQRT1_2, 0],
  [0, QUAD_SCALE * Math.SQRT1_2],
];
/** Largest error of a gain: 0.1 dB of the largest. */
const TOLERANCE = SCALE * 0.0116;

function tones(count: number): Float32Array[] {
  return TONES.slice(0, count).map((hertz) =>
    Float32Array.from(
      { length: Math.round(SOUND_SEC * SAMPLE_RATE) },
      (_, i) => AMPLITUDE * Math.sin((2 * Math.PI * hertz * i) / SAMPLE_RATE),
    ),
  );
}

/** Gain of a tone in the middle 0.4 s, which hold whole periods of every tone. */
function gainOf(samples: Float32Array, hertz: number): number {
  const from = Math.round(0.1 * SAMPLE_RATE);
  const length = Math.round(0.4 * SAMPLE_RATE);
  let [re, im] = [0, 0];
  for (let i = 0; i < length; i++) {
    const phase = (2 * Math.PI * hertz * i) / SAMPLE_RATE;
    re += samples[from + i]! * Math.cos(phase);
    im += samples[from + i]! * Math.sin(phase);
  }
  return (2 * Math.hypot(re, im)) / length / AMPLITUDE;
}

async function measureGains(
  bytes: Uint8Array,
  right: readonly (readonly [left: number, right: number])[],
): Promise<HardOutcome> {
  const { channels } = await decodeAudio(bytes, { limits: { minSec: 0 } });
  const gains = right.map((_, channel) => channels.map((samples) => gainOf(samples, TONES[channel]!)));
  const error = Math.max(
    ...gains.flatMap((pair, channel) => pair.map((gain, c) => Math.abs(gain - right[channel]![c]!))),
  );
  return {
    value: gains.map((pair) => pair.map((gain) => gain.toFixed(2)).join('/')).join(' '),
    right: error < TOLERANCE,
  };
}

const text = (gains: readonly (readonly [number, number])[]): string =>
  gains.map((pair) => pair.map((gain) => gain.toFixed(2)).join('/')).join(' ');

const readFixture = async (name: string): Promise<Uint8Array> =>
  new Uint8Array(await readFile(new URL(name, FIXTURES)));

function surroundCase(
  name: string,
  before: string,
  file: () => Promise<Uint8Array> | Uint8Array,
  gains = GAINS_5_1,
): HardCase {
  return {
    group: 'signal',
    name: `${name}, gains of the channels to left/right`,
    truth: text(gains),
    before,
    measure: async () => measureGains(await file(), gains),
  };
}

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;

export const SURROUND_CASES: readonly HardCase[] = [
  surroundCase('5.1 in WAV', '0.59/0.00 0.00/0.59 0.41/0.41 0.00/0.00 0.00/0.00 0.00/0.00', () =>
    encodeWav16(tones(6), SAMPLE_RATE),
  ),
  surroundCase('5.1 in FLAC', '0.59/0.00 0.00/0.59 0.41/0.41 0.00/0.00 0.00/0.00 0.00/0.00', () =>
    encodeFlac(tones(6), SAMPLE_RATE, {}),
  ),
  surroundCase('5.1 in Ogg Vorbis', '0.59/0.00 0.42/0.42 0.00/0.59 0.00/0.00 0.00/0.00 0.00/0.00', () =>
    readFixture('surround.ogg'),
  ),
  surroundCase('5.1 in Ogg Opus', '0.58/0.00 0.41/0.41 0.00/0.58 0.00/0.00 0.00/0.00 0.00/0.00', () =>
    readFixture('surround.opus'),
  ),
  // M4A is decoded by the ffmpeg of the machine, which is optional.
  ...(hasFfmpeg
    ? [
        surroundCase('5.1 in M4A', '0.99/0.00 0.00/1.00 0.71/0.71 0.00/0.00 0.70/0.00 0.00/0.71', () =>
          readFixture('surround.m4a'),
        ),
      ]
    : []),
  surroundCase(
    'quad in WAV',
    '0.59/0.00 0.00/0.59 0.41/0.41 0.00/0.00',
    () => encodeWav16(tones(4), SAMPLE_RATE),
    GAINS_QUAD,
  ),
];

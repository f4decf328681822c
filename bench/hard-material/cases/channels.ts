/** Cases of files with an inverted or silent channel. */
import { encodeWav16 } from '../../../audio/encode/encode-wav.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { readSong } from '../../../audio/decode/read-song.ts';
import { analyzeFile } from '../../../services/analysis/analyze-file.ts';
import { separate } from '../../../services/separation/separator.ts';
import { playSong } from '../band.ts';
import type { PlayedSong } from '../band.ts';
import type { HardCase, HardOutcome } from '../hard-case.ts';

type Stereo = [left: Float32Array, right: Float32Array];

let played: PlayedSong | undefined;
/** 16 bars, 38.9 s. */
const band = (): PlayedSong => (played ??= playSong({ parts: [{ bars: 16, bpm: 100, meter: 4 }] }));

/** The band with chords to the left and a part of the drums to the right. */
function stereoMix(): Stereo {
  const { vocals, drums, bass, other } = band().stems;
  const side = (chords: number, hits: number): Float32Array =>
    vocals.map((value, i) => 0.7 * (value + bass[i]! + chords * other[i]! + hits * drums[i]!));
  return [side(1.2, 0.8), side(0.5, 1.1)];
}

const inverted = (samples: Float32Array): Float32Array => samples.map((value) => -value);

/** Multiplies the first `seconds` of a channel. */
const fromStart = (samples: Float32Array, seconds: number, gain: number): Float32Array =>
  samples.map((value, i) => (i < seconds * SAMPLE_RATE ? gain * value : value));

/** Analyses a file. Right: tempo, key and the presence of the voice are those of the band, and warnings are as expected. */
async function analyze(channels: Stereo, warning: RegExp | null): Promise<HardOutcome> {
  const { rhythmic, harmonic, vocal, warnings = [] } = await analyzeFile(encodeWav16(channels, SAMPLE_RATE));
  const presence = vocal.vocal_presence;
  const isTold = warning ? warnings.some((text) => warning.test(text)) : warnings.length === 0;
  const right = Math.abs(rhythmic.bpm - 100) < 0.2 && harmonic.key === 'G major' && presence > 0.4 && isTold;
  const told = warnings.length > 0 ? 'told' : 'untold';
  return { value: `${Math.round(rhythmic.bpm)} bpm, ${harmonic.key}, voice ${presence.toFixed(2)}, ${told}`, right };
}

/** Separates the first 20 s. Right: both sides of the vocals stem have the level of the voice in the band. */
async function separateVoice(channels: Stereo): Promise<HardOutcome> {
  const short = channels.map((samples) => samples.subarray(0, 20 * SAMPLE_RATE));
  const { result } = await readSong(encodeWav16(short, SAMPLE_RATE), async (chunks) => {
    const energy = [0, 0];
    for await (const { vocals } of separate(chunks))
      vocals.forEach((samples, channel) => {
        for (const value of samples) energy[channel]! += value * value;
      });
    return energy as [number, number];
  });
  const truth = band()
    .stems.vocals.subarray(0, 20 * SAMPLE_RATE)
    .reduce((sum, value) => sum + (0.7 * value) ** 2, 0);
  const levels = result.map((energy) => 10 * Math.log10(energy / truth + 1e-6));
  const right = levels.every((level) => Math.abs(level) < 3);
  return { value: `voice at ${levels.map((level) => `${level.toFixed(1)} dB`).join(' and ')}`, right };
}

const TRUTH = '100 bpm, G major, voice over 0.40';

const channelCase = (name: string, truth: string, before: string, measure: () => Promise<HardOutcome>): HardCase => ({
  group: 'signal',
  name,
  truth,
  before,
  measure,
});

export const CHANNEL_CASES: readonly HardCase[] = [
  channelCase('mono song, right channel inverted', `${TRUTH}, told`, '126 bpm, N/A, voice 0.00, untold', () =>
    analyze([band().mix, inverted(band().mix)], /inverted/),
  ),
  channelCase('stereo song, right channel inverted', `${TRUTH}, told`, '100 bpm, G major, voice 0.00, untold', () => {
    const [left, right] = stereoMix();
    return analyze([left, inverted(right)], /inverted/);
  }),
  channelCase('right channel silent', `${TRUTH}, told`, '100 bpm, G major, voice 0.00, untold', () =>
    analyze([band().mix, new Float32Array(band().mix.length)], /right channel of the file is silent/),
  ),
  channelCase(
    'left channel silent for the first 13 s',
    `${TRUTH}, untold`,
    '100 bpm, G major, voice 0.54, untold',
    () => {
      const [left, right] = stereoMix();
      return analyze([fromStart(left, 13, 0), right], null);
    },
  ),
  channelCase(
    'right channel inverted for the first 13 s',
    `${TRUTH}, untold`,
    '100 bpm, G major, voice 0.54, untold',
    () => {
      const [left, right] = stereoMix();
      return analyze([left, fromStart(right, 13, -1)], null);
    },
  ),
  channelCase(
    'left channel silent: vocals stem',
    'voice within 3 dB on both sides',
    'voice at -60.0 dB and -60.0 dB',
    () => separateVoice([new Float32Array(band().mix.length), band().mix]),
  ),
  channelCase(
    'mono song, left channel inverted: vocals stem',
    'voice within 3 dB on both sides',
    'voice at -60.0 dB and -60.0 dB',
    () => separateVoice([inverted(band().mix), band().mix]),
  ),
];

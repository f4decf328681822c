/** Degradations of songs: encoding, clipping, noise and others. */
import { createMp3Encoder } from 'wasm-media-encoders';
import { decodeAudio, SAMPLE_RATE } from '../../audio/decode/decode.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import { Resampler } from '../../audio/time/resample.ts';
import { SeededRandom } from './random.ts';
import type { AnnotatedSong } from './annotated-songs.ts';

/** A degraded mix. Time t of the song is at `t * stretch + shiftSec` in it. */
export type DegradedMix = { mix: StereoChunk; stretch: number; shiftSec: number };
type Condition = (mix: StereoChunk, song: AnnotatedSong) => DegradedMix | Promise<DegradedMix>;

const each = (mix: StereoChunk, change: (value: number, i: number) => number): StereoChunk => [
  mix[0].map(change),
  mix[1].map(change),
];
const withoutShift = (mix: StereoChunk): DegradedMix => ({ mix, stretch: 1, shiftSec: 0 });

/** Delay of an encoder without a gapless header: 1,105 samples. */
const MP3_DELAY_SEC = 1105 / SAMPLE_RATE;

async function asMp3(mix: StereoChunk): Promise<DegradedMix> {
  const encoder = await createMp3Encoder();
  encoder.configure({ channels: 2, sampleRate: SAMPLE_RATE, bitrate: 96 });
  const bytes = Buffer.concat([encoder.encode(mix).slice(), encoder.finalize().slice()]);
  const { channels } = await decodeAudio(new Uint8Array(bytes));
  return { mix: [channels[0], channels[1]], stretch: 1, shiftSec: MP3_DELAY_SEC };
}

/** Adds white noise 20 dB below the music. */
function noisy(mix: StereoChunk): DegradedMix {
  const random = new SeededRandom(99);
  const power = mix[0].reduce((sum, value) => sum + value * value, 0) / mix[0].length;
  const level = Math.sqrt(power * 3) * 0.1;
  return withoutShift(each(mix, (value) => value + level * (2 * random.next() - 1)));
}

function lateStart(mix: StereoChunk): DegradedMix {
  const silence = Math.round(3.3 * SAMPLE_RATE);
  const after = (channel: Float32Array): Float32Array => {
    const out = new Float32Array(silence + channel.length);
    out.set(channel, silence);
    return out;
  };
  return { mix: [after(mix[0]), after(mix[1])], stretch: 1, shiftSec: silence / SAMPLE_RATE };
}

/** Removes the drums from the first 40 % of the song. */
function longIntro(mix: StereoChunk, song: AnnotatedSong): DegradedMix {
  const until = Math.round(mix[0].length * 0.4);
  const without = (channel: 0 | 1): Float32Array =>
    mix[channel].map((value, i) => (i < until ? value - song.stems.drums[channel][i]! : value));
  return withoutShift([without(0), without(1)]);
}

/** Resampled to 30 cents lower pitch and slower tempo, like a slow tape. */
function flat(mix: StereoChunk): DegradedMix {
  const slower = (channel: Float32Array): Float32Array => {
    const resampler = new Resampler(57, 58);
    const [body, end] = [resampler.push(channel), resampler.flush()];
    const out = new Float32Array(body.length + end.length);
    out.set(body);
    out.set(end, body.length);
    return out;
  };
  return { mix: [slower(mix[0]), slower(mix[1])], stretch: 58 / 57, shiftSec: 0 };
}

/** Degradations by their name in the tables. */
export const CONDITIONS: Readonly<Record<string, Condition>> = {
  'as mixed': withoutShift,
  'mp3 at 96 kbit/s': asMp3,
  'clipped by 9 dB': (mix) => withoutShift(each(mix, (value) => Math.max(-1, Math.min(1, value * 2.8)))),
  'noise at -20 dB': noisy,
  mono: (mix) => withoutShift(each(mix, (_, i) => 0.5 * (mix[0][i]! + mix[1][i]!))),
  '3.3 s of silence before': lateStart,
  'no drums for 40 %': longIntro,
  '30 cents flat': flat,
};

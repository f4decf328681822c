/** The song inside of the files of this folder, and how much of it a decoded file holds. */
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import { Resampler } from '../../../audio/time/resample.ts';
import { playSong } from '../band.ts';

export type Stereo = [left: Float32Array, right: Float32Array];

let song: Stereo | undefined;

/** Six seconds in stereo at 44.1 kHz: the mix on the left, the mix without its drums on the right. */
export function shortSong(): Stereo {
  if (song) return song;
  const { mix, stems } = playSong({ parts: [{ bars: 3, bpm: 120, meter: 4 }] });
  const length = 6 * SAMPLE_RATE;
  const right = mix.map((value, i) => value - 0.7 * stems.drums[i]!);
  return (song = [mix.slice(0, length), right.slice(0, length)]);
}

/** Converts to another rate. */
export function resampled(channels: readonly Float32Array[], rate: number): Float32Array[] {
  if (rate === SAMPLE_RATE) return [...channels];
  return channels.map((samples) => {
    const resampler = new Resampler(SAMPLE_RATE, rate);
    const [head, tail] = [resampler.push(samples), resampler.flush()];
    const out = new Float32Array(head.length + tail.length);
    out.set(head);
    out.set(tail, head.length);
    return out;
  });
}

/** Songs one after another. */
export function joined(...songs: readonly (readonly Float32Array[])[]): Stereo {
  const side = (channel: number): Float32Array => {
    const parts = songs.map((channels) => channels[channel] ?? channels[0]!);
    const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  };
  return [side(0), side(1)];
}

/** Cosine of the angle between two signals sample by sample: 1 if they are equal up to a factor. */
export function likeness(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

/** Level of a signal against another, dB. */
export function levelDb(a: Float32Array, b: Float32Array): number {
  const power = (samples: Float32Array): number => samples.reduce((sum, value) => sum + value * value, 0);
  return 10 * Math.log10(power(a) / power(b));
}

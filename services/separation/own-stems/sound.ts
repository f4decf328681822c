/** What is kept of a file to align it with another one: its sound in mono, and when which frequencies become louder. */
import type { StereoChunk } from '../../../audio/decode/decode.ts';
import { RealFft, hannWindow } from '../../../audio/fft.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';

/** Distance of the frames of the rises: 10 ms. */
export const HOP = 441;
const FFT_SIZE = 1024;
/** Frequency bands of the rises, evenly spaced in pitch. */
const BANDS = 20;
const LOWEST_HZ = 100;
const HIGHEST_HZ = 8000;
/** Levels are compressed relative to the mean of their band. */
const COMPRESSION = 10;

/** A file in mono. */
export interface Sound {
  samples: Float32Array;
  /** For each band how much it rises in each frame, with mean 0. */
  rises: Float32Array[];
}

/** Reads chunks to their end. Memory: 4 bytes for a sample, and 8 for each band and frame. */
export async function readSound(chunks: AsyncIterable<StereoChunk>): Promise<Sound> {
  const samples = await toMono(chunks);
  return { samples, rises: await risesOf(samples) };
}

async function toMono(chunks: AsyncIterable<StereoChunk>): Promise<Float32Array> {
  let samples = new Float32Array(60 * SAMPLE_RATE);
  let length = 0;
  for await (const [left, right] of chunks) {
    if (length + left.length > samples.length) {
      const larger = new Float32Array(2 * (length + left.length));
      larger.set(samples.subarray(0, length));
      samples = larger;
    }
    for (let i = 0; i < left.length; i++) samples[length + i] = (left[i]! + right[i]!) / 2;
    length += left.length;
  }
  return samples.subarray(0, length);
}

/** First bin of each band, and the first one behind the last. */
const EDGES = Array.from({ length: BANDS + 1 }, (_, i) =>
  Math.round((LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ) ** (i / BANDS) * FFT_SIZE) / SAMPLE_RATE),
);

async function risesOf(samples: Float32Array): Promise<Float32Array[]> {
  const frames = Math.max(0, Math.floor((samples.length - FFT_SIZE) / HOP) + 1);
  const energies = Array.from({ length: BANDS }, () => new Float32Array(frames));
  const fft = await RealFft.create(FFT_SIZE);
  const window = hannWindow(FFT_SIZE);
  for (let frame = 0; frame < frames; frame++) {
    const { time, spectrum } = fft;
    for (let i = 0; i < FFT_SIZE; i++) time[i] = samples[frame * HOP + i]! * window[i]!;
    fft.forward();
    for (const [band, energy] of energies.entries()) {
      let sum = 0;
      const from = EDGES[band]!;
      const to = Math.max(from + 1, EDGES[band + 1]!);
      for (let bin = from; bin < to; bin++) sum += spectrum[2 * bin]! ** 2 + spectrum[2 * bin + 1]! ** 2;
      energy[frame] = sum;
    }
  }
  fft.free();
  return energies.map(rise);
}

/** Rises of the compressed energy, with mean 0. */
function rise(energy: Float32Array): Float32Array {
  const mean = energy.reduce((sum, value) => sum + value, 0) / Math.max(1, energy.length) || 1;
  const levels = energy.map((value) => Math.log1p((COMPRESSION * value) / mean));
  const rises = levels.map((level, i) => Math.max(0, level - (levels[i - 1] ?? level)));
  const middle = rises.reduce((sum, value) => sum + value, 0) / Math.max(1, rises.length);
  return rises.map((value) => value - middle);
}

/** Finds how much of its range of frequencies a sound uses, so that sound without high frequencies can be processed at a lower rate. */
import { hannWindow, RealFft } from '../fft.ts';

const FRAME = 2048;
/** Power of sound that nobody hears in music: -72 dB relative to full scale, in one frame. */
const INAUDIBLE_POWER = 10 ** (-72 / 10);
/** Mean of the square of a Hann window. */
const WINDOW_POWER = 3 / 8;

/**
 * The lowest of the ascending `limits` (Hz) above which `channels` have no audible sound: in no frame of 2,048 samples does the sound
 * above it reach -72 dBFS (RMS). Undefined if there is audible sound above all of them.
 */
export async function highestSound(
  channels: readonly Float32Array[],
  sampleRate: number,
  limits: readonly number[],
): Promise<number | undefined> {
  const fft = await RealFft.create(FRAME);
  try {
    const window = hannWindow(FRAME);
    // The power of a frame is the sum of both halves of its spectrum.
    const audible = INAUDIBLE_POWER * WINDOW_POWER * (FRAME * FRAME) * 0.5;
    const edges = limits.map((hertz) => Math.min(FRAME / 2, Math.ceil((hertz / sampleRate) * FRAME)));
    let level = 0;
    for (const samples of channels) {
      for (let at = 0; at < samples.length && level < edges.length; at += FRAME) {
        // The last frame overlaps: a frame that is cut off would have an edge, whose sound reaches all frequencies.
        const from = Math.max(0, Math.min(at, samples.length - FRAME));
        const { time } = fft;
        for (let i = 0; i < FRAME; i++) time[i] = (samples[from + i] ?? 0) * window[i]!;
        fft.forward();
        while (level < edges.length && powerAbove(fft.spectrum, edges[level]!) > audible) level++;
      }
    }
    return limits[level];
  } finally {
    fft.free();
  }
}

/** Sum of the squares of the bins from `first` on. */
function powerAbove(spectrum: Float32Array, first: number): number {
  let sum = 0;
  for (let i = 2 * first; i < spectrum.length; i++) sum += spectrum[i]! * spectrum[i]!;
  return sum;
}

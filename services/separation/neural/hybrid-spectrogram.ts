/**
 * The transforms that a hybrid graph leaves to its caller: the spectrogram of a segment as channels, and back to sound. Frames as in Demucs
 * (Défossez 2021, `HTDemucs._spec` and `_ispec`): Hann windows of 4,096 samples, a hop of 1,024, scaled by the root of the size, without the
 * highest bin, and with the segment mirrored at both ends.
 */
import { hannWindow, RealFft } from '../../../audio/fft.ts';
import type { StereoChunk } from '../../../audio/decode/decode.ts';

const FFT_SIZE = 4096;
const HOP = 1024;
/** Bins of a frame that the graph receives. */
export const HYBRID_BINS = FFT_SIZE / 2;
/** Samples before the start of the segment that the first frame covers. */
const LEAD = 1536;
const SCALE = 1 / Math.sqrt(FFT_SIZE);
/** Sum of the squares of overlapping windows. */
const WINDOW_SUM = 1.5;

/** Number of frames of a segment of `samples` samples. */
export const hybridFrames = (samples: number): number => Math.ceil(samples / HOP);

/** Position in 0..length of a sample outside of a sound that is mirrored at its ends. */
function mirrored(at: number, length: number): number {
  if (at < 0) return -at;
  return at < length ? at : 2 * (length - 1) - at;
}

/** Transforms segments of one length. Arrays are laid out as [channel][real, imaginary][bin][frame]. */
export class HybridSpectrogram {
  readonly #fft: RealFft;
  readonly #window = hannWindow(FFT_SIZE);
  readonly #samples: number;
  readonly #frames: number;

  private constructor(fft: RealFft, samples: number) {
    this.#fft = fft;
    this.#samples = samples;
    this.#frames = hybridFrames(samples);
  }

  /** @param samples length of a segment, more than 4,096 */
  static async create(samples: number): Promise<HybridSpectrogram> {
    return new HybridSpectrogram(await RealFft.create(FFT_SIZE), samples);
  }

  /** Number of values of a spectrogram of two channels. */
  get size(): number {
    return 4 * HYBRID_BINS * this.#frames;
  }

  /** Fills `into` with the spectrogram of a segment. */
  forward(segment: StereoChunk, into: Float32Array): void {
    const plane = HYBRID_BINS * this.#frames;
    segment.forEach((samples, channel) => {
      const real = into.subarray(2 * channel * plane, (2 * channel + 1) * plane);
      const imaginary = into.subarray((2 * channel + 1) * plane, (2 * channel + 2) * plane);
      for (let frame = 0; frame < this.#frames; frame++) {
        this.#transform(samples, frame * HOP - LEAD);
        const { spectrum } = this.#fft;
        // The imaginary part of bin 0 is the highest bin.
        spectrum[1] = 0;
        for (let bin = 0, at = frame; bin < HYBRID_BINS; bin++, at += this.#frames) {
          real[at] = spectrum[2 * bin]! * SCALE;
          imaginary[at] = spectrum[2 * bin + 1]! * SCALE;
        }
      }
    });
  }

  #transform(samples: Float32Array, start: number): void {
    const { time } = this.#fft;
    const isInside = start >= 0 && start + FFT_SIZE <= this.#samples;
    for (let i = 0; i < FFT_SIZE; i++) {
      const at = isInside ? start + i : mirrored(start + i, this.#samples);
      time[i] = samples[at]! * this.#window[i]!;
    }
    this.#fft.forward();
  }

  /** Adds the sound of a spectrogram to a segment. */
  addInverse(from: Float32Array, segment: StereoChunk): void {
    const plane = HYBRID_BINS * this.#frames;
    const gain = 1 / (SCALE * WINDOW_SUM);
    segment.forEach((samples, channel) => {
      const real = from.subarray(2 * channel * plane, (2 * channel + 1) * plane);
      const imaginary = from.subarray((2 * channel + 1) * plane, (2 * channel + 2) * plane);
      for (let frame = 0; frame < this.#frames; frame++) {
        const { spectrum } = this.#fft;
        for (let bin = 0, at = frame; bin < HYBRID_BINS; bin++, at += this.#frames) {
          spectrum[2 * bin] = real[at]!;
          spectrum[2 * bin + 1] = imaginary[at]!;
        }
        spectrum[1] = 0;
        this.#fft.inverse();
        this.#overlap(samples, frame * HOP - LEAD, gain);
      }
    });
  }

  #overlap(samples: Float32Array, start: number, gain: number): void {
    const { time } = this.#fft;
    const end = Math.min(FFT_SIZE, this.#samples - start);
    for (let i = Math.max(0, -start); i < end; i++) samples[start + i]! += time[i]! * this.#window[i]! * gain;
  }

  /** Releases the memory. */
  free(): void {
    this.#fft.free();
  }
}

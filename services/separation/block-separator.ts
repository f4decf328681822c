/** Separates one block of stereo sound into its stems. */
import type { Stem } from '../../schema.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import { RealFft, rootHann } from '../../audio/fft.ts';
import { BINS, COLUMN_OF_BIN, COLUMN_WIDTH, columnOf, COLUMNS, FFT_SIZE, HOP } from './columns.ts';
import { FrameMasks, SIDE_LOSS, SUB_BASS } from './masks.ts';
import { followPitch } from './pitch.ts';
import type { PitchLine, PitchRange } from './pitch.ts';
import { BANDS, fillBackground } from './repeating-background.ts';
import { SeparationKernel } from './separation-kernel.ts';

/** Consecutive samples of the four stems, equally long. */
export type StemChunk = Record<Stem, StereoChunk>;

const BASS: PitchRange = { lowHz: 32, highHz: 200, harmonics: 6, decay: 0.8, topHz: 1200 };
const MELODY: PitchRange = { lowHz: 100, highHz: 800, harmonics: 10, decay: 0.85, topHz: 5000 };
/** Number of columns that pitch tracking uses, from the lowest. */
const PITCH_COLUMNS = columnOf(MELODY.topHz) + 2;
const TINY = 1e-12;

/** Stems that are computed with masks. The rest of the mix is other. */
const MASKED = ['vocals', 'drums', 'bass'] as const;

/** Number of frames for `samples` samples. One frame is before the first sample and two are behind the last, so that every sample is covered in full. */
function frameCount(samples: number): number {
  return Math.ceil(samples / HOP) + 3;
}

/** Separates blocks of up to `maxSamples` samples in memory that is allocated once. Spectra are computed twice to save memory. */
export class BlockSeparator {
  private readonly fft: RealFft;
  private readonly window = rootHann(FFT_SIZE);
  private readonly left = new Float32Array(FFT_SIZE);
  private readonly right = new Float32Array(FFT_SIZE);
  /** Planes of frames by columns: magnitude, its median over time, and the repeating background. */
  private readonly magnitude: Float32Array;
  private readonly harmonic: Float32Array;
  private readonly background: Float32Array;
  /** Planes of frames by `PITCH_COLUMNS`: how centred each point is (0..1), and the input of pitch tracking. */
  private readonly centre: Float32Array;
  private readonly pitchInput: Float32Array;
  private readonly kernel: SeparationKernel;
  /** Median over frequency of one frame. */
  private readonly percussive: Float32Array;
  private readonly masks = new FrameMasks();
  /** Gain of each masked stem by bin. */
  private readonly gains = MASKED.map(() => new Float32Array(BINS));
  private readonly stems: StemChunk;

  private constructor(fft: RealFft, kernel: SeparationKernel, maxSamples: number) {
    this.fft = fft;
    this.kernel = kernel;
    const frames = frameCount(maxSamples);
    [this.magnitude, this.harmonic, this.background] = [kernel.plane(0), kernel.plane(1), kernel.plane(2)];
    // The planes have one row more than there are frames.
    this.percussive = this.background.subarray(frames * COLUMNS, (frames + 1) * COLUMNS);
    this.centre = new Float32Array(frames * PITCH_COLUMNS);
    this.pitchInput = new Float32Array(frames * PITCH_COLUMNS);
    const stem = (): StereoChunk => [new Float32Array(maxSamples), new Float32Array(maxSamples)];
    this.stems = { vocals: stem(), drums: stem(), bass: stem(), other: stem() };
  }

  /** Allocates a separator for blocks of up to `maxSamples` samples. */
  static async create(maxSamples: number): Promise<BlockSeparator> {
    const sizes = { planes: 3, rows: frameCount(maxSamples) + 1, columns: COLUMNS, bands: BANDS };
    return new BlockSeparator(await RealFft.create(FFT_SIZE), await SeparationKernel.create(sizes), maxSamples);
  }

  /** Releases the memory. The separator must not be used afterwards. */
  free(): void {
    this.fft.free();
  }

  /** Separates a block at 44.1 kHz. Returns stems of its length, which the next call overwrites. */
  separate(block: StereoChunk): StemChunk {
    const length = block[0].length;
    const frames = frameCount(length);
    this.analyse(block, frames);
    this.kernel.medianOverTime(this.magnitude, this.harmonic, frames);
    fillBackground(this.kernel, this.magnitude, this.background, frames);
    const melody = this.trackPitch(frames, MELODY, (magnitude, background, harmonic) =>
      Math.max(0, Math.min(harmonic, magnitude) - background),
    );
    const bassLine = this.trackPitch(frames, BASS, (_, background, harmonic) => Math.min(harmonic, background));
    const cut = ([left, right]: StereoChunk): StereoChunk => [left.subarray(0, length), right.subarray(0, length)];
    const { stems } = this;
    const out = { vocals: cut(stems.vocals), drums: cut(stems.drums), bass: cut(stems.bass), other: cut(stems.other) };
    for (const stem of MASKED) for (const channel of out[stem]) channel.fill(0);
    for (let frame = 0; frame < frames; frame++) this.addMaskedFrame(block, frame, melody, bassLine, out);
    for (const channel of [0, 1] as const) {
      const [mix, other] = [block[channel], out.other[channel]];
      const [vocals, drums, bass] = [out.vocals[channel], out.drums[channel], out.bass[channel]];
      for (let i = 0; i < length; i++) other[i] = mix[i]! - vocals[i]! - drums[i]! - bass[i]!;
    }
    return out;
  }

  /** Spectrum of one frame, centred on sample (frame - 1) * HOP. The block is silent outside of its bounds. */
  private transform(samples: Float32Array, frame: number, into: Float32Array): void {
    const { fft, window } = this;
    const start = (frame - 1) * HOP - FFT_SIZE / 2;
    const time = fft.time;
    const from = Math.max(0, -start);
    const to = Math.max(from, Math.min(FFT_SIZE, samples.length - start));
    time.fill(0, 0, from);
    time.fill(0, to);
    for (let i = from; i < to; i++) time[i] = samples[start + i]! * window[i]!;
    fft.forward();
    into.set(fft.spectrum);
    // The imaginary part of bin 0 is the Nyquist bin. It is left in other.
    into[1] = 0;
  }

  /** Fills the planes of magnitude and centre. */
  private analyse(block: StereoChunk, frames: number): void {
    const { left, right, magnitude, centre } = this;
    for (let frame = 0; frame < frames; frame++) {
      this.transform(block[0], frame, left);
      this.transform(block[1], frame, right);
      const row = magnitude.subarray(frame * COLUMNS, (frame + 1) * COLUMNS);
      row.fill(0);
      for (let bin = 0; bin < BINS - 1; bin++) {
        const power = left[2 * bin]! ** 2 + left[2 * bin + 1]! ** 2 + right[2 * bin]! ** 2 + right[2 * bin + 1]! ** 2;
        row[COLUMN_OF_BIN[bin]!]! += power;
        if (bin < PITCH_COLUMNS) {
          const common = 2 * (left[2 * bin]! * right[2 * bin]! + left[2 * bin + 1]! * right[2 * bin + 1]!);
          centre[frame * PITCH_COLUMNS + bin] = Math.max(0, common / (power + TINY));
        }
      }
      for (let column = 0; column < COLUMNS; column++) row[column] = Math.sqrt(row[column]! / COLUMN_WIDTH[column]!);
    }
  }

  /**
   * Tracks the pitch of the part of each point that `part` returns, weighted by how centred the point is. Square roots reduce the
   * influence of loud frames.
   */
  private trackPitch(
    frames: number,
    range: PitchRange,
    part: (magnitude: number, background: number, harmonic: number) => number,
  ): PitchLine {
    const { magnitude, harmonic, background, centre, pitchInput } = this;
    for (let frame = 0; frame < frames; frame++) {
      for (let column = 0; column < PITCH_COLUMNS; column++) {
        const i = frame * COLUMNS + column;
        const at = frame * PITCH_COLUMNS + column;
        pitchInput[at] = centre[at]! * Math.sqrt(part(magnitude[i]!, background[i]!, harmonic[i]!));
      }
    }
    return followPitch(pitchInput, frames, PITCH_COLUMNS, range);
  }

  /** Adds one masked frame to each of the masked stems. */
  private addMaskedFrame(
    block: StereoChunk,
    frame: number,
    melody: PitchLine,
    bassLine: PitchLine,
    out: StemChunk,
  ): void {
    const row = (plane: Float32Array): Float32Array => plane.subarray(frame * COLUMNS, (frame + 1) * COLUMNS);
    const { left, right, masks, percussive } = this;
    const magnitude = row(this.magnitude);
    this.kernel.medianOverFrequency(magnitude, percussive);
    masks.compute(
      { magnitude, harmonic: row(this.harmonic), percussive, background: row(this.background) },
      frame,
      melody,
      bassLine,
    );
    this.transform(block[0], frame, left);
    this.transform(block[1], frame, right);
    this.fillGains();
    MASKED.forEach((stem, i) => {
      this.addFrame(left, this.gains[i]!, frame, out[stem][0]);
      this.addFrame(right, this.gains[i]!, frame, out[stem][1]);
    });
  }

  /**
   * Gains by bin. Sound off the centre is not voice, is bass only at low frequencies, and is less often drums. The voice mask takes
   * precedence over the bass mask.
   */
  private fillGains(): void {
    const { left, right, masks } = this;
    const [vocals, drums, bass] = this.gains as [Float32Array, Float32Array, Float32Array];
    for (let bin = 0; bin < BINS - 1; bin++) {
      const [lr, li, rr, ri] = [left[2 * bin]!, left[2 * bin + 1]!, right[2 * bin]!, right[2 * bin + 1]!];
      const centre = Math.max(0, (2 * (lr * rr + li * ri)) / (lr * lr + li * li + rr * rr + ri * ri + TINY));
      const column = COLUMN_OF_BIN[bin]!;
      const drum = masks.drums[column]! * (1 - SIDE_LOSS[column]! * (1 - centre));
      const voice = Math.min(1 - drum, masks.voice[column]! * centre * Math.sqrt(centre));
      drums[bin] = drum;
      vocals[bin] = voice;
      bass[bin] = (1 - drum - voice) * masks.bass[column]! * Math.max(SUB_BASS[column]!, centre * centre);
    }
  }

  /** Adds one frame with the given gains to a channel (inverse STFT by overlap-add). */
  private addFrame(from: Float32Array, gains: Float32Array, frame: number, out: Float32Array): void {
    const { fft, window } = this;
    const spectrum = fft.spectrum;
    for (let bin = 0; bin < BINS - 1; bin++) {
      spectrum[2 * bin] = from[2 * bin]! * gains[bin]!;
      spectrum[2 * bin + 1] = from[2 * bin + 1]! * gains[bin]!;
    }
    fft.inverse();
    const time = fft.time;
    const start = (frame - 1) * HOP - FFT_SIZE / 2;
    const last = Math.min(FFT_SIZE, out.length - start);
    // Root Hann windows before and after the transform, with a hop of a quarter, sum to two.
    for (let i = Math.max(0, -start); i < last; i++) out[start + i]! += time[i]! * window[i]! * 0.5;
  }
}

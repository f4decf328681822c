/** One block of stereo sound into its stems. */
import type { Stem } from '../../schema.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import { RealFft, rootHann } from '../../audio/fft.ts';
import { BINS, COLUMN_OF_BIN, COLUMN_WIDTH, columnOf, COLUMNS, FFT_SIZE, HOP } from './columns.ts';
import { DEEP, FrameShares, SIDE_LOSS } from './masks.ts';
import { MedianFilter } from './median.ts';
import { followPitch } from './pitch.ts';
import type { PitchLine, PitchRange } from './pitch.ts';
import { fillBackground } from './repet.ts';

export type StemChunk = Record<Stem, StereoChunk>;

/** Half lengths of the medians (Fitzgerald 2010), in frames and in columns. */
const HARMONIC_REACH = 8;
const PERCUSSIVE_REACH = 8;
const BASS: PitchRange = { lowHz: 32, highHz: 200, harmonics: 6, decay: 0.8, topHz: 1200 };
const MELODY: PitchRange = { lowHz: 100, highHz: 800, harmonics: 10, decay: 0.85, topHz: 5000 };
/** Columns in which pitch is looked for. */
const PITCH_COLUMNS = columnOf(MELODY.topHz) + 2;
const TINY = 1e-12;

/** The masked stems; what they leave of the mix is other. */
const MASKED = ['vocals', 'drums', 'bass'] as const;

/** Frames that cover `samples` samples; one stands before the first sample and two behind the last, so that all are covered in full. */
function frameCount(samples: number): number {
  return Math.ceil(samples / HOP) + 3;
}

/** Separates blocks of up to `maxSamples` in memory that is taken once. Spectra are computed twice rather than kept. */
export class BlockSeparator {
  private readonly fft: RealFft;
  private readonly window = rootHann(FFT_SIZE);
  private readonly left = new Float32Array(FFT_SIZE);
  private readonly right = new Float32Array(FFT_SIZE);
  /** Planes of frames by columns. */
  private readonly magnitude: Float32Array;
  private readonly lasting: Float32Array;
  private readonly background: Float32Array;
  /** How centred each point is, where pitch is looked for; then what pitch is read from. */
  private readonly centre: Float32Array;
  private readonly pitched: Float32Array;
  private readonly overTime: MedianFilter;
  private readonly overFrequency = new MedianFilter(PERCUSSIVE_REACH, COLUMNS);
  private readonly broad = new Float32Array(COLUMNS);
  private readonly shares = new FrameShares();
  /** Gain of each masked stem by bin. */
  private readonly gains = MASKED.map(() => new Float32Array(BINS));
  private readonly stems: StemChunk;

  private constructor(fft: RealFft, maxSamples: number) {
    this.fft = fft;
    const frames = frameCount(maxSamples);
    const plane = (): Float32Array => new Float32Array(frames * COLUMNS);
    [this.magnitude, this.lasting, this.background] = [plane(), plane(), plane()];
    this.centre = new Float32Array(frames * PITCH_COLUMNS);
    this.pitched = new Float32Array(frames * PITCH_COLUMNS);
    this.overTime = new MedianFilter(HARMONIC_REACH, frames);
    const stem = (): StereoChunk => [new Float32Array(maxSamples), new Float32Array(maxSamples)];
    this.stems = { vocals: stem(), drums: stem(), bass: stem(), other: stem() };
  }

  static async create(maxSamples: number): Promise<BlockSeparator> {
    return new BlockSeparator(await RealFft.create(FFT_SIZE), maxSamples);
  }

  /** Gives the memory back; the separator must not be used afterwards. */
  free(): void {
    this.fft.free();
  }

  /** The stems of a block, of its length. They are overwritten by the next call. */
  separate(block: StereoChunk): StemChunk {
    const length = block[0].length;
    const frames = frameCount(length);
    this.measure(block, frames);
    this.overTime.overTime(this.magnitude, this.lasting, frames, COLUMNS);
    fillBackground(this.magnitude, this.background, frames);
    const melody = this.follow(frames, MELODY, (row, background, lasting) =>
      Math.max(0, Math.min(lasting, row) - background),
    );
    const bassLine = this.follow(frames, BASS, (_, background, lasting) => Math.min(lasting, background));
    const cut = ([left, right]: StereoChunk): StereoChunk => [left.subarray(0, length), right.subarray(0, length)];
    const { stems } = this;
    const out = { vocals: cut(stems.vocals), drums: cut(stems.drums), bass: cut(stems.bass), other: cut(stems.other) };
    for (const stem of MASKED) for (const channel of out[stem]) channel.fill(0);
    for (let frame = 0; frame < frames; frame++) this.render(block, frame, melody, bassLine, out);
    for (const channel of [0, 1] as const) {
      const [mix, other] = [block[channel], out.other[channel]];
      const [vocals, drums, bass] = [out.vocals[channel], out.drums[channel], out.bass[channel]];
      for (let i = 0; i < length; i++) other[i] = mix[i]! - vocals[i]! - drums[i]! - bass[i]!;
    }
    return out;
  }

  /** The spectrum of one frame, centred on sample (frame - 1) * HOP; outside the block is silence. */
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
    // The imaginary part of bin 0 holds the Nyquist bin, which carries nothing worth a stem: it stays with other.
    into[1] = 0;
  }

  private measure(block: StereoChunk, frames: number): void {
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

  /** Pitch in what `part` takes of each point, weighted by how centred it is; roots keep loud frames from deciding alone. */
  private follow(
    frames: number,
    range: PitchRange,
    part: (magnitude: number, background: number, lasting: number) => number,
  ): PitchLine {
    const { magnitude, lasting, background, centre, pitched } = this;
    for (let frame = 0; frame < frames; frame++) {
      for (let column = 0; column < PITCH_COLUMNS; column++) {
        const i = frame * COLUMNS + column;
        const at = frame * PITCH_COLUMNS + column;
        pitched[at] = centre[at]! * Math.sqrt(part(magnitude[i]!, background[i]!, lasting[i]!));
      }
    }
    return followPitch(pitched, frames, PITCH_COLUMNS, range);
  }

  private render(block: StereoChunk, frame: number, melody: PitchLine, bassLine: PitchLine, out: StemChunk): void {
    const row = (plane: Float32Array): Float32Array => plane.subarray(frame * COLUMNS, (frame + 1) * COLUMNS);
    const { left, right, shares, broad } = this;
    const magnitude = row(this.magnitude);
    this.overFrequency.overFrequency(magnitude, broad);
    shares.compute(
      { magnitude, lasting: row(this.lasting), broad, background: row(this.background) },
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

  /** Gains by bin: what is not centred is no voice, bass only where it is deep, and a drum less often. The voice goes before the bass. */
  private fillGains(): void {
    const { left, right, shares } = this;
    const [vocals, drums, bass] = this.gains as [Float32Array, Float32Array, Float32Array];
    for (let bin = 0; bin < BINS - 1; bin++) {
      const [lr, li, rr, ri] = [left[2 * bin]!, left[2 * bin + 1]!, right[2 * bin]!, right[2 * bin + 1]!];
      const centre = Math.max(0, (2 * (lr * rr + li * ri)) / (lr * lr + li * li + rr * rr + ri * ri + TINY));
      const column = COLUMN_OF_BIN[bin]!;
      const drum = shares.drums[column]! * (1 - SIDE_LOSS[column]! * (1 - centre));
      const voice = Math.min(1 - drum, shares.voice[column]! * centre * Math.sqrt(centre));
      drums[bin] = drum;
      vocals[bin] = voice;
      bass[bin] = (1 - drum - voice) * shares.bass[column]! * Math.max(DEEP[column]!, centre * centre);
    }
  }

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
    // Root Hann windows before and after, a quarter apart, add up to two.
    for (let i = Math.max(0, -start); i < last; i++) out[start + i]! += time[i]! * window[i]! * 0.5;
  }
}

/** What harmony and voice are told from: long windows (186 ms) every 46 ms. */
import { SAMPLE_RATE } from '../audio/decode.ts';
import { hannWindow, RealFft } from '../audio/fft.ts';
import { FloatList, FrameReader } from './frames.ts';

const FFT_SIZE = 8192;
const TONE_HOP = 2048;
/** Frames per second of all tone features. */
export const TONE_RATE = SAMPLE_RATE / TONE_HOP;
const BIN_HZ = SAMPLE_RATE / FFT_SIZE;
/** Range in which peaks are read as notes, Hz; below the split they are the bass. */
const NOTE_LOW_HZ = 60;
const NOTE_HIGH_HZ = 3500;
const BASS_SPLIT_HZ = 250;
/** Range in which a voice is looked for, Hz. */
const VOICE_LOW_HZ = 200;
const VOICE_HIGH_HZ = 4000;
/** Frames over which a steady tone is told from a sung one. */
const STEADY_FRAMES = 13;
/** Pitch classes are kept in thirds of a semitone until the tuning is known. */
export const CHROMA_BINS = 36;

/** One row for each frame; frame i is centred on i / TONE_RATE seconds. */
export type ToneFeatures = {
  frames: number;
  /** Frames of 36 bins (C first, three to a semitone) of note energy above and below the bass split. */
  treble: Float32Array;
  bass: Float32Array;
  /** Part of the voice range's energy that is centred, tonal and unsteady, 0..1. */
  voice: Float32Array;
};

/** Takes a stereo stream and makes tone features of it. */
export class ToneExtractor {
  private readonly fft: RealFft;
  private readonly window = hannWindow(FFT_SIZE);
  private readonly midReader: FrameReader;
  private readonly sideReader: FrameReader;
  private readonly mid = new Float32Array(FFT_SIZE / 2);
  private readonly side = new Float32Array(FFT_SIZE / 2);
  private readonly history: Float32Array[] = [];
  private readonly treble = new FloatList();
  private readonly bass = new FloatList();
  private readonly voice = new FloatList();
  private readonly sideFrames: Float32Array[] = [];

  private constructor(fft: RealFft) {
    this.fft = fft;
    this.sideReader = new FrameReader(FFT_SIZE, TONE_HOP, (samples) => this.sideFrames.push(samples.slice()));
    this.midReader = new FrameReader(FFT_SIZE, TONE_HOP, (samples) => this.addFrame(samples));
  }

  static async create(): Promise<ToneExtractor> {
    return new ToneExtractor(await RealFft.create(FFT_SIZE));
  }

  /** `mid` and `side` are half the sum and half the difference of the channels. */
  push(mid: Float32Array, side: Float32Array): void {
    const step = TONE_HOP * 8;
    for (let at = 0; at < mid.length; at += step) {
      this.sideReader.push(side.subarray(at, at + step));
      this.midReader.push(mid.subarray(at, at + step));
    }
  }

  private transform(samples: Float32Array, magnitudes: Float32Array): void {
    const time = this.fft.time;
    for (let i = 0; i < FFT_SIZE; i++) time[i] = samples[i]! * this.window[i]!;
    this.fft.forward();
    const spectrum = this.fft.spectrum;
    for (let bin = 1; bin < magnitudes.length; bin++) {
      magnitudes[bin] = Math.hypot(spectrum[2 * bin]!, spectrum[2 * bin + 1]!);
    }
  }

  private addFrame(samples: Float32Array): void {
    this.transform(samples, this.mid);
    this.transform(this.sideFrames.shift()!, this.side);
    this.addNotes();
    this.addVoice();
  }

  /** Peak-picked pitch classes (Gómez 2006): a partial counts for its own pitch class, with the root of its magnitude. */
  private addNotes(): void {
    const treble = new Float32Array(CHROMA_BINS);
    const bass = new Float32Array(CHROMA_BINS);
    const { mid } = this;
    const last = Math.floor(NOTE_HIGH_HZ / BIN_HZ);
    for (let bin = Math.ceil(NOTE_LOW_HZ / BIN_HZ); bin <= last; bin++) {
      const [a, b, c] = [mid[bin - 1]!, mid[bin]!, mid[bin + 1]!];
      if (b <= a || b < c || b < 1e-4) continue;
      const [la, lb, lc] = [Math.log(a + 1e-9), Math.log(b), Math.log(c + 1e-9)];
      const shift = (0.5 * (la - lc)) / (la - 2 * lb + lc || 1);
      const hertz = (bin + Math.max(-0.5, Math.min(0.5, shift))) * BIN_HZ;
      const pitch = (12 * Math.log2(hertz / 440) + 9) * (CHROMA_BINS / 12);
      const index = ((Math.round(pitch) % CHROMA_BINS) + CHROMA_BINS) % CHROMA_BINS;
      if (hertz < BASS_SPLIT_HZ) bass[index]! += Math.sqrt(b);
      else treble[index]! += Math.sqrt(b) * Math.min(1, 1000 / hertz);
    }
    for (let i = 0; i < CHROMA_BINS; i++) {
      this.treble.add(treble[i]!);
      this.bass.add(bass[i]!);
    }
  }

  /**
   * Voices glide and shake, so that with long windows they stand out of the steady tones in time, and being tonal they stand
   * out of the drums in frequency (after Tachibana, Ono, Sagayama 2014); the value is that of `STEADY_FRAMES` / 2 frames ago.
   */
  private addVoice(): void {
    const from = Math.ceil(VOICE_LOW_HZ / BIN_HZ);
    const to = Math.floor(VOICE_HIGH_HZ / BIN_HZ);
    const row = new Float32Array(2 * (to - from));
    for (let i = 0; i < to - from; i++) {
      row[2 * i] = this.mid[from + i]!;
      row[2 * i + 1] = this.side[from + i]!;
    }
    this.history.push(row);
    if (this.history.length > STEADY_FRAMES) this.history.shift();
    const middle = this.history.length >> 1;
    const now = this.history[middle]!;
    const values = new Float32Array(this.history.length);
    let unsteady = 0;
    let total = 1e-9;
    for (let i = 8; i < to - from - 8; i++) {
      const centre = now[2 * i]!;
      const side = now[2 * i + 1]!;
      total += centre ** 2 + side ** 2;
      const broad = 0.5 * (now[2 * (i - 8)]! + now[2 * (i + 8)]!);
      const excess = centre - side - broad;
      if (excess <= 0) continue;
      for (let k = 0; k < values.length; k++) values[k] = this.history[k]![2 * i]!;
      values.sort();
      const beyond = Math.min(excess, centre - values[values.length >> 1]!);
      if (beyond > 0) unsteady += beyond ** 2;
    }
    this.voice.add(Math.min(1, unsteady / total));
  }

  finish(): ToneFeatures {
    this.sideReader.flush();
    this.midReader.flush();
    this.fft.free();
    const voice = this.voice.take();
    const delay = STEADY_FRAMES >> 1;
    const aligned = voice.map((_, i) => voice[Math.min(voice.length - 1, i + delay)]!);
    return { frames: voice.length, treble: this.treble.take(), bass: this.bass.take(), voice: aligned };
  }
}

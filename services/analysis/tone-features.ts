/** Features for harmony and voice: long windows (186 ms) every 46 ms. */
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { hannWindow, RealFft } from '../../audio/fft.ts';
import { estimateTuning, type TuningEstimate, TuningMeter } from '../../audio/tuning.ts';
import { FloatList, FrameReader } from './frames.ts';

const FFT_SIZE = 8192;
const TONE_HOP = 2048;
/** Frames per second of all tone features. */
export const TONE_RATE = SAMPLE_RATE / TONE_HOP;
const BIN_HZ = SAMPLE_RATE / FFT_SIZE;
/** Frequency range of notes, Hz. Peaks below the split are bass notes. */
const NOTE_LOW_HZ = 60;
const NOTE_HIGH_HZ = 3500;
const BASS_SPLIT_HZ = 250;
/** Frequency range of voices, Hz. */
const VOICE_LOW_HZ = 150;
const VOICE_HIGH_HZ = 5000;
/** Number of logarithmic bands of the voice range, 24 per octave. */
export const VOICE_BANDS = 121;
/** Number of logarithmic bands that describe the timbre of a frame, from 60 Hz to 10 kHz. */
export const TIMBRE_BANDS = 40;
const TIMBRE_LOW_HZ = 60;
const TIMBRE_HIGH_HZ = 10_000;
/** Spectral flatness (geometric over arithmetic mean of power) of the voice range below which a frame is tonal, and above which it is noise. */
const TONAL_FLATNESS = 0.2;
const NOISE_FLATNESS = 0.45;
/** Bins of an octave: thirds of a semitone, because the tuning is not known yet. */
export const CHROMA_BINS = 36;

/** Features of a song. Arrays hold one row for each frame; frame i is centred on i / TONE_RATE seconds. */
export type ToneFeatures = {
  frames: number;
  /** Rows of `CHROMA_BINS` (C first, three per semitone): note energy above and below the bass split. */
  treble: Float32Array;
  bass: Float32Array;
  /** Rows of `VOICE_BANDS`: magnitude of the centred part. */
  centre: Float32Array;
  /** Rows of `TIMBRE_BANDS`, each of unit length. */
  timbre: Float32Array;
  /** Power of the voice range in both channels, in the unit of `centre` squared. */
  voicePower: Float32Array;
  /** 1 for tonal frames, 0 for noise. */
  tonality: Float32Array;
  tuning: TuningEstimate;
};

/** First bins of `count` logarithmic bands and the end of the last; each band has at least one bin. */
function bandEdges(count: number, lowHz: number, highHz: number): number[] {
  const edges = [Math.round(lowHz / BIN_HZ)];
  for (let i = 1; i <= count; i++) {
    edges.push(Math.max(edges[i - 1]! + 1, Math.round((lowHz * (highHz / lowHz) ** (i / count)) / BIN_HZ)));
  }
  return edges;
}

/** Computes tone features of a stereo stream at 44.1 kHz. */
export class ToneExtractor {
  private readonly fft: RealFft;
  private readonly window = hannWindow(FFT_SIZE);
  private readonly midReader: FrameReader;
  private readonly sideReader: FrameReader;
  private readonly mid = new Float32Array(FFT_SIZE / 2);
  private readonly side = new Float32Array(FFT_SIZE / 2);
  private readonly treble = new FloatList();
  private readonly bass = new FloatList();
  private readonly centre = new FloatList();
  private readonly timbre = new FloatList();
  private readonly voicePower = new FloatList();
  private readonly tonality = new FloatList();
  private readonly tuning = new TuningMeter(FFT_SIZE / 2);
  private readonly voiceEdges = bandEdges(VOICE_BANDS, VOICE_LOW_HZ, VOICE_HIGH_HZ);
  private readonly timbreEdges = bandEdges(TIMBRE_BANDS, TIMBRE_LOW_HZ, TIMBRE_HIGH_HZ);
  /** Side frames that wait for their mid frame, and a pool of used frames, because a song has 22 of them a second. */
  private readonly sideFrames: Float32Array[] = [];
  private readonly freeFrames: Float32Array[] = [];

  private constructor(fft: RealFft) {
    this.fft = fft;
    this.sideReader = new FrameReader(FFT_SIZE, TONE_HOP, (samples) => {
      const frame = this.freeFrames.pop() ?? new Float32Array(FFT_SIZE);
      frame.set(samples);
      this.sideFrames.push(frame);
    });
    this.midReader = new FrameReader(FFT_SIZE, TONE_HOP, (samples) => this.addFrame(samples));
  }

  /** Allocates an extractor for one song. */
  static async create(): Promise<ToneExtractor> {
    return new ToneExtractor(await RealFft.create(FFT_SIZE));
  }

  /** Adds the next samples. `mid` and `side` are half the sum and half the difference of the channels. */
  push(mid: Float32Array, side: Float32Array): void {
    const step = TONE_HOP * 8;
    for (let at = 0; at < mid.length; at += step) {
      this.sideReader.push(side.subarray(at, at + step));
      this.midReader.push(mid.subarray(at, at + step));
    }
  }

  private transform(samples: Float32Array, magnitudes: Float32Array): void {
    const { window } = this;
    const time = this.fft.time;
    for (let i = 0; i < FFT_SIZE; i++) time[i] = samples[i]! * window[i]!;
    this.fft.forward();
    const spectrum = this.fft.spectrum;
    for (let bin = 1; bin < magnitudes.length; bin++) {
      // A pair of values is allocated here in each round, also by optimised code.
      const re = spectrum[2 * bin]!;
      const im = spectrum[2 * bin + 1]!;
      magnitudes[bin] = Math.sqrt(re * re + im * im);
    }
  }

  private addFrame(samples: Float32Array): void {
    this.transform(samples, this.mid);
    const side = this.sideFrames.shift()!;
    this.transform(side, this.side);
    this.freeFrames.push(side);
    this.addNotes();
    this.addVoiceRange();
    this.addTimbre();
  }

  /** Pitch classes of spectral peaks (Gómez 2006). A partial counts for its own pitch class, weighted by the root of its magnitude. */
  private addNotes(): void {
    const treble = new Float32Array(CHROMA_BINS);
    const bass = new Float32Array(CHROMA_BINS);
    const { mid } = this;
    const last = Math.floor(NOTE_HIGH_HZ / BIN_HZ);
    this.tuning.nextFrame();
    for (let bin = Math.ceil(NOTE_LOW_HZ / BIN_HZ); bin <= last; bin++) {
      const a = mid[bin - 1]!;
      const b = mid[bin]!;
      const c = mid[bin + 1]!;
      if (b <= a || b < c || b < 1e-4) continue;
      const [la, lb, lc] = [Math.log(a + 1e-9), Math.log(b), Math.log(c + 1e-9)];
      const shift = (0.5 * (la - lc)) / (la - 2 * lb + lc || 1);
      const hertz = (bin + Math.max(-0.5, Math.min(0.5, shift))) * BIN_HZ;
      this.tuning.addPeak(mid, bin, hertz);
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

  /** Centred magnitude, power and tonality of the voice range. */
  private addVoiceRange(): void {
    const { mid, side, voiceEdges } = this;
    const bands = new Float32Array(VOICE_BANDS);
    let [power, logPower, bins] = [0, 0, 0];
    for (let band = 0; band < VOICE_BANDS; band++) {
      for (let bin = voiceEdges[band]!; bin < voiceEdges[band + 1]!; bin++) {
        const both = mid[bin]! ** 2 + side[bin]! ** 2;
        power += both;
        logPower += Math.log(both + 1e-9);
        bins++;
        bands[band] = Math.max(bands[band]!, mid[bin]! - side[bin]!);
      }
    }
    for (const value of bands) this.centre.add(value);
    this.voicePower.add(power);
    const flatness = Math.exp(logPower / bins) / (power / bins + 1e-9);
    this.tonality.add(Math.max(0, Math.min(1, (NOISE_FLATNESS - flatness) / (NOISE_FLATNESS - TONAL_FLATNESS))));
  }

  private addTimbre(): void {
    const { mid, timbreEdges } = this;
    const bands = new Float32Array(TIMBRE_BANDS);
    let norm = 1e-12;
    for (let band = 0; band < TIMBRE_BANDS; band++) {
      const [from, to] = [timbreEdges[band]!, timbreEdges[band + 1]!];
      let sum = 0;
      for (let bin = from; bin < to; bin++) sum += mid[bin]!;
      bands[band] = Math.sqrt(sum / (to - from));
      norm += bands[band]! ** 2;
    }
    for (const value of bands) this.timbre.add(value / Math.sqrt(norm));
  }

  /** Ends the stream. */
  finish(): ToneFeatures {
    this.sideReader.flush();
    this.midReader.flush();
    this.fft.free();
    const voicePower = this.voicePower.take();
    return {
      frames: voicePower.length,
      treble: this.treble.take(),
      bass: this.bass.take(),
      centre: this.centre.take(),
      timbre: this.timbre.take(),
      voicePower,
      tonality: this.tonality.take(),
      tuning: estimateTuning(this.tuning.histogram),
    };
  }
}

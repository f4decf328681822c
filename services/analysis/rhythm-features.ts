/** Features for rhythm, timbre and level: short windows (46 ms) every 11.6 ms. */
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { hannWindow, RealFft } from '../../audio/fft.ts';
import { FloatList, FrameReader } from './frames.ts';
import { dct, melBands } from './mel.ts';

const FFT_SIZE = 2048;
/** Samples between two frames. */
export const RHYTHM_HOP = 512;
/** Frames per second of all rhythm features. */
export const RHYTHM_RATE = SAMPLE_RATE / RHYTHM_HOP;
const BIN_HZ = SAMPLE_RATE / FFT_SIZE;
/** Normalises the power of a bin by the size of the transform. */
export const POWER_SCALE = 4 / FFT_SIZE ** 2;
const MEL_BANDS = 128;
/** Upper limit of the mel bands: lossy files have no content above it. */
const TIMBRE_TOP_HZ = 15_500;
const MFCC_COUNT = 13;
/** Floor of the power of a band: the usual -100 dB of mel spectrograms. */
const POWER_FLOOR = 1e-10;
/** Edges of the low, mid and high band, Hz. */
export const BAND_EDGES_HZ = [20, 200, 2500, 16_000] as const;
/** Frequency ranges of kick, snare and hats, Hz. Basses, chords and voices are mostly between them. */
const DRUM_BANDS_HZ = [
  [30, 120],
  [1800, 6000],
  [7000, 15_000],
] as const;
/** Compression before the flux. Limits the effect of noise far below the music. */
const FLUX_COMPRESSION = 1000;

/** Index of the low, mid or high band. */
type Band = 0 | 1 | 2;
const BANDS: readonly Band[] = [0, 1, 2];

/** Band of a frequency. */
function bandOf(hertz: number): Band {
  return hertz < BAND_EDGES_HZ[1] ? 0 : hertz < BAND_EDGES_HZ[2] ? 1 : 2;
}

/** Features of a song. Arrays hold one value for each frame; frame i is centred on i / RHYTHM_RATE seconds. */
export type RhythmFeatures = {
  /** Spectral flux: rise of the compressed mel energy, summed over all bands. */
  flux: Float32Array;
  /** The same for the low (kick, bass), mid (snare, voice) and high (hats) band. */
  bandFlux: [Float32Array, Float32Array, Float32Array];
  /** Power in the three bands. */
  bandPower: [Float32Array, Float32Array, Float32Array];
  /** Magnitude in the frequency ranges of kick, snare and hats. */
  drumLevel: [Float32Array, Float32Array, Float32Array];
  /** Mean square of the samples. */
  power: Float32Array;
  /** Means of 13 cepstral coefficients over the frames that are not silent. */
  mfccMeans: number[];
  /** Mean spectral centroid of the frames that are not silent, Hz. */
  brightness: number;
};

/** Computes rhythm features of a mono stream at 44.1 kHz. */
export class RhythmExtractor {
  private readonly fft: RealFft;
  private readonly window = hannWindow(FFT_SIZE);
  private readonly melBands = melBands(MEL_BANDS, 0, TIMBRE_TOP_HZ, BIN_HZ);
  private readonly bandOfMel: Band[];
  private readonly reader: FrameReader;
  private readonly flux = new FloatList();
  private readonly bandFlux = [new FloatList(), new FloatList(), new FloatList()] as const;
  private readonly bandPower = [new FloatList(), new FloatList(), new FloatList()] as const;
  private readonly drumLevel = [new FloatList(), new FloatList(), new FloatList()] as const;
  private readonly power = new FloatList();
  private readonly binPower = new Float32Array(FFT_SIZE / 2);
  private previous = new Float32Array(MEL_BANDS);
  private current = new Float32Array(MEL_BANDS);
  private readonly logMelSum = new Float64Array(MEL_BANDS);
  private centroidSum = 0;
  private soundingFrames = 0;

  private constructor(fft: RealFft) {
    this.fft = fft;
    this.bandOfMel = this.melBands.map(({ first, weights }) => bandOf((first + weights.length / 2) * BIN_HZ));
    this.reader = new FrameReader(FFT_SIZE, RHYTHM_HOP, (samples) => this.addFrame(samples));
  }

  /** Allocates an extractor for one song. */
  static async create(): Promise<RhythmExtractor> {
    return new RhythmExtractor(await RealFft.create(FFT_SIZE));
  }

  /** Adds the next samples. */
  push(mono: Float32Array): void {
    this.reader.push(mono);
  }

  private addFrame(samples: Float32Array): void {
    const time = this.fft.time;
    let energy = 0;
    for (let i = 0; i < FFT_SIZE; i++) {
      const value = samples[i]!;
      energy += value * value;
      time[i] = value * this.window[i]!;
    }
    this.power.add(energy / FFT_SIZE);
    this.fft.forward();
    const isSounding = energy / FFT_SIZE > 1e-7;
    this.addSpectrum(this.fft.spectrum, isSounding);
    this.addDrumLevels();
    this.addFlux(isSounding);
  }

  /** Power of bins and bands, and the spectral centroid. */
  private addSpectrum(spectrum: Float32Array, isSounding: boolean): void {
    const { binPower } = this;
    const bandPower: [number, number, number] = [0, 0, 0];
    let magnitudeSum = 0;
    let centroid = 0;
    for (let bin = 1; bin < FFT_SIZE / 2; bin++) {
      const power = spectrum[2 * bin]! ** 2 + spectrum[2 * bin + 1]! ** 2;
      const hertz = bin * BIN_HZ;
      const magnitude = Math.sqrt(power);
      binPower[bin] = power;
      magnitudeSum += magnitude;
      centroid += magnitude * hertz;
      if (hertz >= BAND_EDGES_HZ[0] && hertz < BAND_EDGES_HZ[3]) bandPower[bandOf(hertz)] += power;
    }
    if (isSounding) {
      this.centroidSum += centroid / (magnitudeSum + 1e-12);
      this.soundingFrames++;
    }
    for (const band of BANDS) this.bandPower[band].add(bandPower[band] * POWER_SCALE);
  }

  private addDrumLevels(): void {
    for (const band of BANDS) {
      const [low, high] = DRUM_BANDS_HZ[band];
      let sum = 0;
      const last = Math.round(high / BIN_HZ);
      for (let bin = Math.round(low / BIN_HZ); bin <= last; bin++) sum += this.binPower[bin]!;
      this.drumLevel[band].add(Math.sqrt(sum));
    }
  }

  /** Rise of the mel energy since the previous frame, and the sums for the cepstrum. */
  private addFlux(isSounding: boolean): void {
    const rise: [number, number, number] = [0, 0, 0];
    const { binPower, previous, current } = this;
    for (let mel = 0; mel < MEL_BANDS; mel++) {
      const { first, weights } = this.melBands[mel]!;
      let power = 0;
      for (let i = 0; i < weights.length; i++) power += weights[i]! * binPower[first + i]!;
      if (isSounding) this.logMelSum[mel]! += 10 * Math.log10(Math.max(POWER_FLOOR, power));
      current[mel] = Math.log1p(FLUX_COMPRESSION * Math.sqrt(power * POWER_SCALE * 1000));
      const difference = current[mel]! - previous[mel]!;
      if (difference > 0) rise[this.bandOfMel[mel]!] += difference;
    }
    this.previous = current;
    this.current = previous;
    this.flux.add((rise[0] + rise[1] + rise[2]) / MEL_BANDS);
    for (const band of BANDS) this.bandFlux[band].add(rise[band] / MEL_BANDS);
  }

  /** Ends the stream. */
  finish(): RhythmFeatures {
    this.reader.flush();
    this.fft.free();
    const count = Math.max(1, this.soundingFrames);
    return {
      flux: this.flux.take(),
      bandFlux: [this.bandFlux[0].take(), this.bandFlux[1].take(), this.bandFlux[2].take()],
      bandPower: [this.bandPower[0].take(), this.bandPower[1].take(), this.bandPower[2].take()],
      drumLevel: [this.drumLevel[0].take(), this.drumLevel[1].take(), this.drumLevel[2].take()],
      power: this.power.take(),
      mfccMeans: dct(
        this.logMelSum.map((sum) => sum / count),
        MFCC_COUNT,
      ),
      brightness: this.centroidSum / count,
    };
  }
}

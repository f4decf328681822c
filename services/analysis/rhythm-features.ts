/** What rhythm, timbre and level are told from: short windows (46 ms) every 11.6 ms. */
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import { hannWindow, RealFft } from '../../audio/fft.ts';
import { FloatList, FrameReader } from './frames.ts';
import { dct, melBands } from './mel.ts';

const FFT_SIZE = 2048;
export const RHYTHM_HOP = 512;
/** Frames per second of all rhythm features. */
export const RHYTHM_RATE = SAMPLE_RATE / RHYTHM_HOP;
const MEL_BANDS = 128;
/** Above this, lossy files have nothing: it would say more about the file than about the song. */
const TIMBRE_TOP_HZ = 15_500;
const MFCC_COUNT = 13;
/** Power below which a band is silent, as the usual -100 dB floor of mel spectrograms. */
const POWER_FLOOR = 1e-10;
/** Edges of the low, mid and high band, Hz. */
export const BAND_EDGES_HZ = [20, 200, 2500, 16_000] as const;
/** Ranges in which drums strike: kick, snare, hats; Hz. Between them are basses, chords and voices. */
const STROKE_BANDS_HZ = [
  [30, 120],
  [1800, 6000],
  [7000, 15_000],
] as const;
/** Softens the logarithm of the flux, so that noise far below the music makes no onsets. */
const FLUX_COMPRESSION = 1000;

/** One value for each frame; frame i is centred on i / RHYTHM_RATE seconds. */
export type RhythmFeatures = {
  /** Rise of compressed mel energy over all bands: how much begins here. */
  flux: Float32Array;
  /** The same for the low (kick, bass), mid (snare, voice) and high (hats) band. */
  bandFlux: [Float32Array, Float32Array, Float32Array];
  /** Power in the three bands. */
  bandPower: [Float32Array, Float32Array, Float32Array];
  /** Magnitude in the ranges of kick, snare and hats. */
  strokeLevel: [Float32Array, Float32Array, Float32Array];
  /** Mean square of the samples. */
  power: Float32Array;
  /** Means of 13 cepstral coefficients over the frames that sound. */
  mfccMeans: number[];
  /** Mean spectral centroid of the frames that sound, Hz. */
  brightness: number;
};

/** Takes a mono stream and makes rhythm features of it. */
export class RhythmExtractor {
  private readonly fft: RealFft;
  private readonly window = hannWindow(FFT_SIZE);
  private readonly bands = melBands(MEL_BANDS, 0, TIMBRE_TOP_HZ, SAMPLE_RATE / FFT_SIZE);
  private readonly bandOfMel: number[];
  private readonly reader: FrameReader;
  private readonly flux = new FloatList();
  private readonly bandFlux = [new FloatList(), new FloatList(), new FloatList()] as const;
  private readonly bandPower = [new FloatList(), new FloatList(), new FloatList()] as const;
  private readonly strokeLevel = [new FloatList(), new FloatList(), new FloatList()] as const;
  private readonly power = new FloatList();
  private readonly magnitudes = new Float32Array(FFT_SIZE / 2);
  private previous = new Float32Array(MEL_BANDS);
  private current = new Float32Array(MEL_BANDS);
  private readonly logMelSum = new Float64Array(MEL_BANDS);
  private centroidSum = 0;
  private soundingFrames = 0;

  private constructor(fft: RealFft) {
    this.fft = fft;
    const binHz = SAMPLE_RATE / FFT_SIZE;
    this.bandOfMel = this.bands.map(({ first, weights }) => {
      const hertz = (first + weights.length / 2) * binHz;
      return hertz < BAND_EDGES_HZ[1] ? 0 : hertz < BAND_EDGES_HZ[2] ? 1 : 2;
    });
    this.reader = new FrameReader(FFT_SIZE, RHYTHM_HOP, (samples) => this.addFrame(samples));
  }

  static async create(): Promise<RhythmExtractor> {
    return new RhythmExtractor(await RealFft.create(FFT_SIZE));
  }

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
    this.addSpectrum(this.fft.spectrum, energy / FFT_SIZE);
  }

  private addSpectrum(spectrum: Float32Array, meanSquare: number): void {
    const binHz = SAMPLE_RATE / FFT_SIZE;
    const magnitudes = this.magnitudes;
    const bandPower: [number, number, number] = [0, 0, 0];
    let magnitudeSum = 0;
    let centroid = 0;
    for (let bin = 1; bin < FFT_SIZE / 2; bin++) {
      const power = spectrum[2 * bin]! ** 2 + spectrum[2 * bin + 1]! ** 2;
      const hertz = bin * binHz;
      const magnitude = Math.sqrt(power);
      magnitudes[bin] = power;
      magnitudeSum += magnitude;
      centroid += magnitude * hertz;
      if (hertz >= BAND_EDGES_HZ[0] && hertz < BAND_EDGES_HZ[3]) {
        bandPower[hertz < BAND_EDGES_HZ[1] ? 0 : hertz < BAND_EDGES_HZ[2] ? 1 : 2] += power;
      }
    }
    STROKE_BANDS_HZ.forEach(([low, high], band) => {
      let sum = 0;
      const last = Math.round(high / binHz);
      for (let bin = Math.round(low / binHz); bin <= last; bin++) sum += magnitudes[bin]!;
      this.strokeLevel[band as 0 | 1 | 2].add(Math.sqrt(sum));
    });
    const sounding = meanSquare > 1e-7;
    if (sounding) {
      this.centroidSum += centroid / (magnitudeSum + 1e-12);
      this.soundingFrames++;
    }
    const scale = 4 / FFT_SIZE ** 2;
    const rise: [number, number, number] = [0, 0, 0];
    const { previous, current } = this;
    for (let band = 0; band < MEL_BANDS; band++) {
      const { first, weights } = this.bands[band]!;
      let power = 0;
      for (let i = 0; i < weights.length; i++) power += weights[i]! * magnitudes[first + i]!;
      if (sounding) this.logMelSum[band]! += 10 * Math.log10(Math.max(POWER_FLOOR, power));
      current[band] = Math.log1p(FLUX_COMPRESSION * Math.sqrt(power * scale * 1000));
      const difference = current[band]! - previous[band]!;
      if (difference > 0) rise[this.bandOfMel[band] as 0 | 1 | 2] += difference;
    }
    this.previous = current;
    this.current = previous;
    this.flux.add((rise[0] + rise[1] + rise[2]) / MEL_BANDS);
    for (const band of [0, 1, 2] as const) {
      this.bandFlux[band].add(rise[band] / MEL_BANDS);
      this.bandPower[band].add(bandPower[band] * scale);
    }
  }

  finish(): RhythmFeatures {
    this.reader.flush();
    this.fft.free();
    const count = Math.max(1, this.soundingFrames);
    return {
      flux: this.flux.take(),
      bandFlux: [this.bandFlux[0].take(), this.bandFlux[1].take(), this.bandFlux[2].take()],
      bandPower: [this.bandPower[0].take(), this.bandPower[1].take(), this.bandPower[2].take()],
      strokeLevel: [this.strokeLevel[0].take(), this.strokeLevel[1].take(), this.strokeLevel[2].take()],
      power: this.power.take(),
      mfccMeans: dct(
        this.logMelSum.map((sum) => sum / count),
        MFCC_COUNT,
      ),
      brightness: this.centroidSum / count,
    };
  }
}

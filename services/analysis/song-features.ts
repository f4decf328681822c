/** Extracts the features of a song in one pass over its samples. */
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import { LoudnessMeter, peakToDb } from '../../audio/level/loudness.ts';
import { TruePeakMeter } from '../../audio/level/true-peak.ts';
import { WaveformPeaks } from './curves.ts';
import { RhythmExtractor } from './rhythm-features.ts';
import type { RhythmFeatures } from './rhythm-features.ts';
import { ToneExtractor } from './tone-features.ts';
import type { ToneFeatures } from './tone-features.ts';

/** Samples given to the extractors at a time. */
const CHUNK = 1 << 18;

/** Chunks of stereo sound at 44.1 kHz. */
export type StereoStream = AsyncIterable<StereoChunk> | Iterable<StereoChunk>;

/** Features of a song. Only features by frame grow with its length. */
export type SongFeatures = {
  durationSec: number;
  rhythm: RhythmFeatures;
  tone: ToneFeatures;
  /** Largest magnitude of the mean of both channels. */
  midPeak: number;
  integratedLufs: number;
  truePeakDb: number;
  /** Waveform peaks, 0..1. */
  waveform: number[];
};

/** The features that rhythm and harmony are read from. */
export type MusicFeatures = Pick<SongFeatures, 'durationSec' | 'rhythm' | 'tone' | 'midPeak'>;

/** Extracts the features of rhythm and tones, piece by piece. */
class MusicExtractor {
  private readonly rhythm: RhythmExtractor;
  private readonly tone: ToneExtractor;
  private readonly mids = new Float32Array(CHUNK);
  private readonly sides = new Float32Array(CHUNK);
  private samples = 0;
  private midPeak = 0;

  private constructor(rhythm: RhythmExtractor, tone: ToneExtractor) {
    this.rhythm = rhythm;
    this.tone = tone;
  }

  static async create(): Promise<MusicExtractor> {
    return new MusicExtractor(await RhythmExtractor.create(), await ToneExtractor.create());
  }

  /** Adds the next samples of both channels, at most `CHUNK`. */
  push(left: Float32Array, right: Float32Array): void {
    const mid = this.mids.subarray(0, left.length);
    const side = this.sides.subarray(0, left.length);
    let peak = this.midPeak;
    for (let i = 0; i < mid.length; i++) {
      const value = (left[i]! + right[i]!) / 2;
      mid[i] = value;
      side[i] = (left[i]! - right[i]!) / 2;
      const magnitude = Math.abs(value);
      if (magnitude > peak) peak = magnitude;
    }
    this.midPeak = Math.fround(peak);
    this.samples += left.length;
    this.rhythm.push(mid);
    this.tone.push(mid, side);
  }

  /** Ends the stream. */
  finish(): MusicFeatures {
    return {
      durationSec: this.samples / SAMPLE_RATE,
      rhythm: this.rhythm.finish(),
      tone: this.tone.finish(),
      midPeak: this.midPeak,
    };
  }
}

/** Extracts the features of rhythm and tones of a song in memory. They equal those of `extractFeatures`. */
export async function extractMusic([left, right]: StereoChunk): Promise<MusicFeatures> {
  const music = await MusicExtractor.create();
  for (let at = 0; at < left.length; at += CHUNK) {
    music.push(left.subarray(at, at + CHUNK), right.subarray(at, at + CHUNK));
  }
  return music.finish();
}

/** Extracts all features. Memory is that of one chunk and of the features. */
export async function extractFeatures(chunks: StereoStream): Promise<SongFeatures> {
  const music = await MusicExtractor.create();
  const loudness = new LoudnessMeter(SAMPLE_RATE, 2);
  const truePeaks = [new TruePeakMeter(), new TruePeakMeter()] as const;
  const waveform = new WaveformPeaks();
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk[0].length; at += CHUNK) {
      const left = chunk[0].subarray(at, at + CHUNK);
      const right = chunk[1].subarray(at, at + CHUNK);
      music.push(left, right);
      loudness.push([left, right]);
      truePeaks[0].push(left);
      truePeaks[1].push(right);
      waveform.push([left, right]);
    }
  }
  return {
    ...music.finish(),
    integratedLufs: loudness.integrated(),
    truePeakDb: peakToDb(Math.max(truePeaks[0].finish(), truePeaks[1].finish())),
    waveform: waveform.finish(),
  };
}

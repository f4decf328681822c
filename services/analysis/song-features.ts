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

/** Extracts all features. Memory is that of one chunk and of the features. */
export async function extractFeatures(chunks: StereoStream): Promise<SongFeatures> {
  const rhythmExtractor = await RhythmExtractor.create();
  const toneExtractor = await ToneExtractor.create();
  const loudness = new LoudnessMeter(SAMPLE_RATE, 2);
  const truePeaks = [new TruePeakMeter(), new TruePeakMeter()] as const;
  const waveform = new WaveformPeaks();
  const mids = new Float32Array(CHUNK);
  const sides = new Float32Array(CHUNK);
  let samples = 0;
  let midPeak = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk[0].length; at += CHUNK) {
      const left = chunk[0].subarray(at, at + CHUNK);
      const right = chunk[1].subarray(at, at + CHUNK);
      const mid = mids.subarray(0, left.length);
      const side = sides.subarray(0, left.length);
      for (let i = 0; i < mid.length; i++) {
        mid[i] = (left[i]! + right[i]!) / 2;
        side[i] = (left[i]! - right[i]!) / 2;
        midPeak = Math.max(midPeak, Math.abs(mid[i]!));
      }
      rhythmExtractor.push(mid);
      toneExtractor.push(mid, side);
      loudness.push([left, right]);
      truePeaks[0].push(left);
      truePeaks[1].push(right);
      waveform.push([left, right]);
    }
    samples += chunk[0].length;
  }
  return {
    durationSec: samples / SAMPLE_RATE,
    rhythm: rhythmExtractor.finish(),
    tone: toneExtractor.finish(),
    midPeak,
    integratedLufs: loudness.integrated(),
    truePeakDb: peakToDb(Math.max(truePeaks[0].finish(), truePeaks[1].finish())),
    waveform: waveform.finish(),
  };
}

/** A song's sound to everything that the engine knows of it. */
import { camelotCode, parseKey } from '../../music/theory/keys.ts';
import type { SongAnalysis } from '../../schema.ts';
import { SAMPLE_RATE } from '../../audio/decode/decode.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import { LoudnessMeter, peakToDb } from '../../audio/level/loudness.ts';
import { TruePeakMeter } from '../../audio/level/true-peak.ts';
import { scaleToMax } from './chroma.ts';
import { chordsByBeat, chordSpans } from './chords.ts';
import { CURVE_HOP_SEC, energyCurve, PEAKS_PER_SEC, resampleCurve, WaveformPeaks } from './curves.ts';
import { measureGroove } from './groove.ts';
import { estimateKey } from './key.ts';
import { meanByBeat } from './per-beat.ts';
import { RHYTHM_RATE, RhythmExtractor } from './rhythm-features.ts';
import type { RhythmFeatures } from './rhythm-features.ts';
import { estimateRhythm } from './rhythm.ts';
import type { Rhythm } from './rhythm.ts';
import { findSections } from './sections.ts';
import type { BarFeatures } from './sections.ts';
import { TONE_RATE, ToneExtractor } from './tone-features.ts';
import type { ToneFeatures } from './tone-features.ts';
import { voiceForeground, voicePresence } from './voice.ts';

/** Rises when the same song gives other values. */
export const ANALYSIS_VERSION = 'mashup-engine-3';

/** Samples given to the extractors at a time. */
const CHUNK = 1 << 18;
/** Band energies are drawn over this range below each band's loudest beat, dB. */
const BAND_RANGE_DB = 48;

const round = (value: number, digits: number): number => {
  const scale = 10 ** digits;
  return Number.isFinite(value) ? Math.round(value * scale) / scale : 0;
};
const roundAll = (values: readonly number[], digits: number): number[] => values.map((value) => round(value, digits));
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** Low, mid and high band level of each beat, 0..1. */
function bandsByBeat(features: RhythmFeatures, beats: readonly number[]): number[][] {
  const levels = features.bandPower.map((power) => {
    const decibels = meanByBeat(power, beats, RHYTHM_RATE).map((value) => 10 * Math.log10(value + 1e-12));
    const loudest = Math.max(...decibels);
    return decibels.map((level) => Math.max(0, Math.min(1, 1 + (level - loudest) / BAND_RANGE_DB)));
  });
  return beats.map((_, beat) => levels.map((band) => band[beat]!));
}

/** Peak over mean level, dB, as the services' contract has it. */
function dynamicRange(power: Float32Array, peak: number): number {
  const rms = mean(Array.from(power, Math.sqrt));
  return rms > 0 && peak > 0 ? Math.max(0, Math.min(100, 20 * Math.log10(peak / rms))) : 0;
}

function gatherBars(
  rhythm: Rhythm,
  bands: number[][],
  energy: number[],
  voice: number[],
  durationSec: number,
): BarFeatures[] {
  const bars: BarFeatures[] = [];
  const valueAt = (curve: number[], from: number, to: number): number =>
    mean(
      curve.slice(
        Math.floor(from / CURVE_HOP_SEC),
        Math.max(Math.floor(from / CURVE_HOP_SEC) + 1, Math.floor(to / CURVE_HOP_SEC)),
      ),
    );
  for (let first = rhythm.phase; first < rhythm.beats.length; first += rhythm.meter) {
    const last = Math.min(rhythm.beats.length, first + rhythm.meter);
    const start = rhythm.beats[first]!;
    const end = rhythm.beats[last] ?? durationSec;
    const sum = (rows: number[][]): number[] => rows[0]!.map((_, k) => mean(rows.map((row) => row[k]!)));
    bars.push({
      start_sec: start,
      end_sec: end,
      chroma: sum(rhythm.chroma.treble.slice(first, last)),
      bands: sum(bands.slice(first, last)),
      energy: valueAt(energy, start, end),
      voice: valueAt(voice, start, end),
    });
  }
  return bars;
}

/** What is measured of a song while it passes: nothing here grows with the song but rows of features. */
type Features = {
  durationSec: number;
  rhythm: RhythmFeatures;
  tone: ToneFeatures;
  /** Largest magnitude of both channels' mean. */
  midPeak: number;
  integratedLufs: number;
  truePeakDb: number;
  waveform: number[];
};

async function gatherFeatures(chunks: AsyncIterable<StereoChunk> | Iterable<StereoChunk>): Promise<Features> {
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

/**
 * Analyses a song that comes in chunks (stereo at 44.1 kHz), as `openAudio` gives it. Memory is that of one chunk and of the
 * features, about 16 kB a second. Every number is computed from the signal and rounded for transport.
 */
export async function analyzeStream(chunks: AsyncIterable<StereoChunk> | Iterable<StereoChunk>): Promise<SongAnalysis> {
  const { durationSec, rhythm: features, tone, ...measured } = await gatherFeatures(chunks);

  const rhythm = estimateRhythm(features, tone, durationSec);
  const { beats, chroma } = rhythm;
  const groove = measureGroove(rhythm.strength, beats);
  const bands = bandsByBeat(features, beats);
  const energy = energyCurve(features.power, durationSec);
  const voice = voicePresence(resampleCurve(voiceForeground(tone), TONE_RATE, durationSec), energy);
  const pitchClasses = chroma.treble.reduce<number[]>((sum, row) => {
    const scaled = scaleToMax(row);
    return sum.map((value, pitch) => value + scaled[pitch]!);
  }, new Array<number>(12).fill(0));
  const chordLabels = chordsByBeat(chroma);
  const key = estimateKey(pitchClasses, chordLabels);
  const parsedKey = key ? parseKey(key.key) : null;
  const spans = chordSpans(chordLabels, beats, durationSec);
  const sections = findSections(gatherBars(rhythm, bands, energy, voice, durationSec));

  return {
    version: ANALYSIS_VERSION,
    duration_sec: round(durationSec, 3),
    harmonic: {
      key: key?.key ?? 'N/A',
      key_confidence: round(key?.confidence ?? 0, 3),
      camelot: parsedKey ? camelotCode(parsedKey) : null,
      chord_progression: spans.map(({ label }) => label),
      chord_complexity: round(new Set(spans.map(({ label }) => label)).size / 24, 3),
      chords: spans.map(({ start_sec, end_sec, label }) => ({
        start_sec: round(start_sec, 2),
        end_sec: round(end_sec, 2),
        label,
      })),
      beat_chroma: chroma.treble.map((row) => roundAll(scaleToMax(row), 2)),
    },
    rhythmic: {
      bpm: round(rhythm.bpm, 3),
      beat_confidence: round(rhythm.confidence, 3),
      groove_stability: round(groove.stability, 3),
      swing_factor: round(groove.swing, 3),
      tempo_alternatives: rhythm.alternatives.map(({ bpm, confidence }) => ({
        bpm: round(bpm, 2),
        confidence: round(confidence, 3),
      })),
      beats_sec: roundAll(beats, 4),
      downbeats_sec: roundAll(
        beats.filter((_, i) => i % rhythm.meter === rhythm.phase),
        4,
      ),
      meter: rhythm.meter,
      beat_bands: bands.map((row) => roundAll(row, 2)),
    },
    spectral: {
      mfccs: features.mfccMeans.map((value) => [round(value, 2)]),
      dynamic_range: round(dynamicRange(features.power, measured.midPeak), 2),
      brightness: round(features.brightness, 1),
    },
    vocal: { vocal_presence: round(mean(voice), 3), curve: { hop_sec: CURVE_HOP_SEC, values: roundAll(voice, 2) } },
    energy: { mean: round(mean(energy), 3), curve: { hop_sec: CURVE_HOP_SEC, values: roundAll(energy, 2) } },
    loudness: {
      integrated_lufs: round(measured.integratedLufs, 2),
      true_peak_dbtp: round(measured.truePeakDb, 2),
    },
    sections: sections.map((section) => ({
      ...section,
      start_sec: round(section.start_sec, 3),
      end_sec: round(section.end_sec, 3),
      energy: round(section.energy, 3),
      vocal_presence: round(section.vocal_presence, 3),
    })),
    waveform: { peaks_per_sec: PEAKS_PER_SEC, peaks: roundAll(measured.waveform, 3) },
    has_timbre: true,
  };
}

/** Analyses a song that is in memory (two channels at 44.1 kHz). */
export function analyzeSong(channels: StereoChunk): Promise<SongAnalysis> {
  return analyzeStream([channels]);
}

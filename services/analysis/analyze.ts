/** Analyses a song: features, rhythm, harmony, structure and levels, in the format of the services' contract. */
import { camelotCode, formatKey } from '../../music/theory/keys.ts';
import type { SongAnalysis, SongSection, TempoPart } from '../../schema.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import type { TuningEstimate } from '../../audio/tuning.ts';
import { bandsByBeat, featuresByBar } from './bar-features.ts';
import { chordLabel, chordSpans, triadsByBeat } from './chords.ts';
import { scaleToMax } from './chroma.ts';
import { CURVE_HOP_SEC, energyCurve, PEAKS_PER_SEC, resampleCurve } from './curves.ts';
import { measureContent } from './content.ts';
import { fingerprintOf } from './fingerprint.ts';
import { measureGroove } from './groove.ts';
import { estimateKey } from './key.ts';
import { estimateRhythm, longestPart } from './rhythm.ts';
import type { Rhythm } from './rhythm.ts';
import { findSections } from './sections.ts';
import { extractFeatures, extractMusic } from './song-features.ts';
import type { SongFeatures, StereoStream } from './song-features.ts';
import { mean } from './statistics.ts';
import { meterWarnings, partWarnings } from './tempo-texts.ts';
import { TONE_RATE } from './tone-features.ts';
import { voiceForeground, voicePresence } from './voice.ts';

/** Version of the analysis. It changes if equal songs give other values. */
export const ANALYSIS_VERSION = 'mashup-engine-4';

/** Rounds to `digits` decimal places; 0 for values that are not finite. */
function round(value: number, digits: number): number {
  const scale = 10 ** digits;
  return Number.isFinite(value) ? Math.round(value * scale) / scale : 0;
}

const roundAll = (values: readonly number[], digits: number): number[] => values.map((value) => round(value, digits));

/** Peak over mean level, dB, as defined by the services' contract. */
function dynamicRange(power: Float32Array, peak: number): number {
  const rms = mean(Array.from(power, Math.sqrt));
  return rms > 0 && peak > 0 ? Math.max(0, Math.min(100, 20 * Math.log10(peak / rms))) : 0;
}

/** Key, chords and chroma. */
function describeHarmony(
  { chroma, beats, downbeats }: Rhythm,
  tuning: TuningEstimate,
  durationSec: number,
): SongAnalysis['harmonic'] {
  const rows = chroma.treble.map(scaleToMax);
  const triads = triadsByBeat(chroma);
  const key = estimateKey({ chroma, chords: triads, downbeats });
  const labels = triads.map((triad) => (triad === null ? null : chordLabel(triad, key)));
  const spans = chordSpans(labels, beats, durationSec);
  const progression = spans.map(({ label }) => label);
  return {
    key: key ? formatKey(key) : 'N/A',
    key_confidence: round(key?.confidence ?? 0, 3),
    camelot: key ? camelotCode(key) : null,
    tuning_cents: round(tuning.cents, 1),
    tuning_confidence: round(tuning.confidence, 3),
    chord_progression: progression,
    chord_complexity: round(new Set(progression).size / 24, 3),
    chords: spans.map(({ start_sec, end_sec, label }) => ({
      start_sec: round(start_sec, 2),
      end_sec: round(end_sec, 2),
      label,
    })),
    beat_chroma: rows.map((row) => roundAll(row, 2)),
  };
}

/** The parts of a song whose tempo or meter changes; empty for other songs. */
function describeParts({ parts }: Rhythm): TempoPart[] {
  if (parts.length < 2) return [];
  return parts.map(({ startSec, endSec, grid, meter }) => ({
    start_sec: round(startSec, 3),
    end_sec: round(endSec, 3),
    bpm: round(grid.bpm, 3),
    meter,
  }));
}

/** Tempo, beats, bars and groove. `bands` are the band levels of each beat. */
function describeRhythm(
  rhythm: Rhythm,
  bands: readonly (readonly number[])[],
  parts: readonly TempoPart[],
): SongAnalysis['rhythmic'] {
  const { beats, meter, downbeats, hasBeat } = rhythm;
  const groove = measureGroove(rhythm.strength, longestPart(rhythm).beats);
  return {
    bpm: round(rhythm.bpm, 3),
    beat_confidence: round(rhythm.confidence, 3),
    groove_stability: hasBeat ? round(groove.stability, 3) : 0,
    swing_factor: round(groove.swing, 3),
    tempo_alternatives: rhythm.alternatives.map(({ bpm, confidence }) => ({
      bpm: round(bpm, 2),
      confidence: round(confidence, 3),
    })),
    beats_sec: roundAll(beats, 4),
    downbeats_sec: roundAll(
      downbeats.map((index) => beats[index]!),
      4,
    ),
    meter: hasBeat ? meter : null,
    has_beat: hasBeat,
    ...(parts.length > 0 ? { tempo_parts: [...parts] } : {}),
    beat_bands: bands.map((row) => roundAll(row, 2)),
  };
}

function describeSpectrum({ rhythm, midPeak }: SongFeatures): SongAnalysis['spectral'] {
  return {
    mfccs: rhythm.mfccMeans.map((value) => [round(value, 2)]),
    dynamic_range: round(dynamicRange(rhythm.power, midPeak), 2),
    brightness: round(rhythm.brightness, 1),
  };
}

function roundSection(section: SongSection): SongSection {
  return {
    ...section,
    start_sec: round(section.start_sec, 3),
    end_sec: round(section.end_sec, 3),
    energy: round(section.energy, 3),
    vocal_presence: round(section.vocal_presence, 3),
  };
}

/**
 * Analyses a song in chunks of stereo at 44.1 kHz, as `openAudio` yields them. Memory is that of one chunk and of the features, about
 * 16 kB per second. All values are computed from the signal and rounded for transport.
 */
export async function analyzeStream(chunks: StereoStream): Promise<SongAnalysis> {
  const features = await extractFeatures(chunks);
  const { durationSec, tone } = features;
  const rhythm = estimateRhythm(features.rhythm, tone, durationSec);
  const bands = bandsByBeat(features.rhythm, rhythm.beats);
  const parts = describeParts(rhythm);
  const warnings = [...partWarnings(parts), ...meterWarnings(rhythm.hasBeat, rhythm.meter)];
  const energy = energyCurve(features.rhythm.power, durationSec);
  const voice = voicePresence(resampleCurve(voiceForeground(tone), TONE_RATE, durationSec), energy);
  const { content, voicesAlone } = measureContent(features.rhythm, tone, voice);
  return {
    version: ANALYSIS_VERSION,
    ...(warnings.length > 0 ? { warnings } : {}),
    duration_sec: round(durationSec, 3),
    harmonic: describeHarmony(rhythm, tone.tuning, durationSec),
    rhythmic: describeRhythm(rhythm, bands, parts),
    spectral: describeSpectrum(features),
    vocal: {
      vocal_presence: round(mean(voice), 3),
      voices_alone: round(voicesAlone, 3),
      curve: { hop_sec: CURVE_HOP_SEC, values: roundAll(voice, 2) },
    },
    energy: { mean: round(mean(energy), 3), curve: { hop_sec: CURVE_HOP_SEC, values: roundAll(energy, 2) } },
    loudness: {
      integrated_lufs: round(features.integratedLufs, 2),
      true_peak_dbtp: round(features.truePeakDb, 2),
    },
    sections: findSections(featuresByBar(rhythm, bands, { energy, voice }, durationSec)).map(roundSection),
    waveform: { peaks_per_sec: PEAKS_PER_SEC, peaks: roundAll(features.waveform, 3) },
    content,
    fingerprint: fingerprintOf(tone),
    has_timbre: true,
  };
}

/** Analyses a song in memory: two channels at 44.1 kHz. */
export function analyzeSong(channels: StereoChunk): Promise<SongAnalysis> {
  return analyzeStream([channels]);
}

/** Analyses only the harmony of a song in memory, two channels at 44.1 kHz. The values equal those of `analyzeSong`. */
export async function analyzeHarmony(channels: StereoChunk): Promise<SongAnalysis['harmonic']> {
  const { rhythm, tone, durationSec } = await extractMusic(channels);
  return describeHarmony(estimateRhythm(rhythm, tone, durationSec), tone.tuning, durationSec);
}

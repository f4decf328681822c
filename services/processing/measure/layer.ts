/** Measurements of a rendered layer: a few kilobytes that the quality checks use instead of its samples. */
import type { Stem } from '../../../schema.ts';
import { applyFilter } from '../../../audio/effects/filters.ts';
import { measureOnsets, type OnsetEnvelopes, toMono } from './onsets.ts';
import type { TuningHistogram } from '../../../audio/tuning.ts';
import { measureNotes } from './chroma.ts';

/** Samples of one level: a tenth of a second. */
export const LEVEL_HOP = 4410;
/** Below this frequency only one layer should play notes. */
const LOW_BAND_HZ = 120;

export type LayerMeasurement = {
  songId: string;
  stem: Stem;
  /** Of drums only, measured before their effects. */
  onsets: OnsetEnvelopes | undefined;
  /** Rows of twelve pitch classes; of all stems but drums. */
  chroma: Float32Array | undefined;
  /** Spectral peaks by tuning; of all stems but drums. */
  tuning: TuningHistogram | undefined;
  /** RMS level in dBFS of each tenth of a second. */
  levels: Float32Array;
  /** Mean power below 120 Hz. */
  lowPower: number;
};

/**
 * Measures one layer of a section between two samples.
 * @param dry the layer without its effects
 * @param wet the layer with its effects, as it is mixed
 * @param span the samples, and the tuning of the pitch classes in cents above A = 440 Hz
 */
export async function measureLayer(
  layer: { songId: string; stem: Stem },
  dry: readonly Float32Array[],
  wet: readonly Float32Array[],
  span: { from: number; to: number; sampleRate: number; tunedTo: number },
): Promise<LayerMeasurement> {
  const { from, to, sampleRate, tunedTo } = span;
  const isDrums = layer.stem === 'drums';
  const mono = toMono(wet, from, to);
  const notes = isDrums ? undefined : await measureNotes(mono, sampleRate, tunedTo);
  const levels = measureLevels(mono);
  applyFilter([mono], sampleRate, { kind: 'low-pass', frequency: LOW_BAND_HZ });
  applyFilter([mono], sampleRate, { kind: 'low-pass', frequency: LOW_BAND_HZ });
  return {
    songId: layer.songId,
    stem: layer.stem,
    onsets: isDrums ? measureOnsets(toMono(dry, from, to), sampleRate) : undefined,
    chroma: notes?.chroma,
    tuning: notes?.tuning,
    levels,
    lowPower: mono.reduce((sum, value) => sum + value * value, 0) / Math.max(1, mono.length),
  };
}

/** A whole stem: rows of twelve pitch classes, and the RMS level in dBFS of each tenth of a second. */
export type StemMeasurement = { chroma: Float32Array; levels: Float32Array };

/** Measures a whole stem of one channel that is tuned to `tunedTo` cents above A = 440 Hz. */
export async function measureStem(mono: Float32Array, sampleRate: number, tunedTo: number): Promise<StemMeasurement> {
  const { chroma } = await measureNotes(mono, sampleRate, tunedTo);
  return { chroma, levels: measureLevels(mono) };
}

function measureLevels(mono: Float32Array): Float32Array {
  return Float32Array.from({ length: Math.floor(mono.length / LEVEL_HOP) }, (_, k) => {
    let sum = 0;
    for (let i = k * LEVEL_HOP; i < (k + 1) * LEVEL_HOP; i++) sum += mono[i]! * mono[i]!;
    return 10 * Math.log10(sum / LEVEL_HOP + 1e-12);
  });
}

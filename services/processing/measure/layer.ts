/** What is kept of a rendered layer for judging it beside the others: some kilobytes instead of its samples. */
import type { Stem } from '../../../schema.ts';
import { applyFilter } from '../../../audio/effects/filters.ts';
import { hearPercussion, type Percussion, toMono } from './onsets.ts';
import { hearPitches } from './chroma.ts';

/** Samples of one level. */
export const LEVEL_HOP = 4410;
/** Under this frequency only one layer should play notes, Hz. */
const LOW_BAND_HZ = 120;

export type LayerSound = {
  songId: string;
  stem: Stem;
  /** Of drums, before their effects. */
  percussion: Percussion | undefined;
  /** Rows of twelve pitch classes; of everything but drums. */
  pitches: Float32Array | undefined;
  /** Level (RMS, dBFS) of each tenth of a second. */
  levels: Float32Array;
  /** Mean power under 120 Hz. */
  lowPower: number;
};

/**
 * Hears one layer of a section between two samples.
 * @param dry as it was cut from its run; @param wet with its effects, as it goes into the sum
 */
export async function hearLayer(
  layer: { songId: string; stem: Stem },
  dry: readonly Float32Array[],
  wet: readonly Float32Array[],
  span: { from: number; to: number; sampleRate: number },
): Promise<LayerSound> {
  const { from, to, sampleRate } = span;
  const isDrums = layer.stem === 'drums';
  const mono = toMono(wet, from, to);
  const pitches = isDrums ? undefined : await hearPitches(mono, sampleRate);
  const levels = levelsOf(mono);
  applyFilter([mono], sampleRate, { kind: 'low-pass', frequency: LOW_BAND_HZ });
  applyFilter([mono], sampleRate, { kind: 'low-pass', frequency: LOW_BAND_HZ });
  return {
    songId: layer.songId,
    stem: layer.stem,
    percussion: isDrums ? hearPercussion(toMono(dry, from, to), sampleRate) : undefined,
    pitches,
    levels,
    lowPower: mono.reduce((sum, value) => sum + value * value, 0) / Math.max(1, mono.length),
  };
}

/** A voice from end to end, by its pitches and levels. */
export type VoiceSound = { pitches: Float32Array; levels: Float32Array };

/** Hears a voice of one channel. */
export async function hearVoice(mono: Float32Array, sampleRate: number): Promise<VoiceSound> {
  return { pitches: await hearPitches(mono, sampleRate), levels: levelsOf(mono) };
}

function levelsOf(mono: Float32Array): Float32Array {
  return Float32Array.from({ length: Math.floor(mono.length / LEVEL_HOP) }, (_, k) => {
    let sum = 0;
    for (let i = k * LEVEL_HOP; i < (k + 1) * LEVEL_HOP; i++) sum += mono[i]! * mono[i]!;
    return 10 * Math.log10(sum / LEVEL_HOP + 1e-12);
  });
}

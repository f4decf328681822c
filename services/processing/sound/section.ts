/** Renders one section of the mashup: its slices are read, balanced against each other, given their effects, and mixed. */
import type { Curve } from '../../../schema.ts';
import { duck, expand } from '../../../audio/level/envelope.ts';
import { applyFilter } from '../../../audio/effects/filters.ts';
import { SAMPLE_RATE } from '../../../audio/sample-rate.ts';
import type { EffectContext } from '../../../audio/effects/effect-process.ts';
import { applyEffect } from '../../../audio/effects/effects.ts';
import { writeCacheFile } from '../files/cache-file.ts';
import { type ScratchRegion, writeRegion } from '../files/scratch.ts';
import { measureLayer, type LayerMeasurement } from '../measure/layer.ts';
import { sectionSpan } from './section-span.ts';
import { type Channels, readSlice, sharedSamples, type SliceAudio } from './slice.ts';

/** A vocal stem below this level (RMS dBFS, at matched loudness) holds no voice. */
const VOICE_FLOOR_DB = -42;
const VOICE_EXPANSION = { rangeDb: 18, releaseSec: 0.15 };
/** -56 dBFS: quieter sound is masked by music. */
const SILENCE = 0.0016;
const DUCK = { depthDb: 2.5, thresholdDb: -38, releaseSec: 0.25 };
/** The band of consonants, lowered in the bed under another song's voice. */
const CONSONANT_CUT = { kind: 'peak', frequency: 2200, q: 0.7, gainDb: -2.5 } as const;
/** Where the analysis finds no singing in a vocal stem, its sound comes from the other parts and is lowered. */
const NO_VOICE = { presence: 0.08, gainDb: -12 };
/** Only one voice at a time: the quieter of two voices plays in the pauses of the louder one. */
const SECOND_VOICE_DUCK = { depthDb: 30, thresholdDb: -48, releaseSec: 0.3 };
/** A second bass keeps its upper notes but not its fundamentals. */
const SECOND_BASS_HIGH_PASS_HZ = 220;
/** The bed loses its low notes if a bass of another song plays. */
const BED_HIGH_PASS_HZ = 140;

export type SectionTask = {
  /** Seconds of the mashup. */
  start: number;
  end: number;
  bpm: number;
  beatsPerBar: number;
  /** Tuning of the mashup in cents above A = 440 Hz. */
  tunedTo: number;
  /** Whether it is the first (last) section of the mashup. */
  first: boolean;
  last: boolean;
  slices: SliceAudio[];
  /** The file of the cache that keeps the section. */
  cacheFile?: string | undefined;
  /** Where each layer goes as it is in the mix, in the order of the slices. Regions are as long as the section (`sectionSpan`). */
  layerRegions?: ScratchRegion[] | undefined;
  /** Files of the cache that keep the layers as they are in the mix. */
  layerFiles?: string[] | undefined;
};

export type SectionResult = {
  /** Sample of the mashup at which `channels` begin. */
  offset: number;
  channels: Channels;
  /** Longest silence within the section, in seconds. */
  longestPauseSec: number;
  measurements: LayerMeasurement[];
};

type Layer = { slice: SliceAudio; audio: Channels };

/**
 * Renders a section and measures its layers. The stems come at matched levels. The result has room before the section for the
 * transition and after it for tails.
 * @throws RenderError render_failed if the scratch file cannot be read
 */
export async function renderSection(task: SectionTask): Promise<SectionResult> {
  const { base, head, end, length } = sectionSpan(task);
  const context: EffectContext = {
    sampleRate: SAMPLE_RATE,
    beatSec: 60 / task.bpm,
    beatsPerBar: task.beatsPerBar,
    start: head,
    end: end - base,
  };
  const layers = task.slices.map((slice) => ({ slice, audio: readSlice(slice, task, base, length) }));
  const voices = layers.filter(({ slice }) => slice.stem === 'vocals');
  separateVoices(voices, context.start);
  makeRoom(layers, voices);

  const mix: Channels = [sharedSamples(length), sharedSamples(length)];
  const measurements: LayerMeasurement[] = [];
  const span = { from: context.start, to: context.end, sampleRate: SAMPLE_RATE, tunedTo: task.tunedTo };
  for (const [i, { slice, audio }] of layers.entries()) {
    // Effects may work in place, and the onsets of drums are measured without effects.
    const dry = slice.stem === 'drums' ? audio.map((samples) => samples.slice()) : audio;
    const wet = slice.effects.reduce<Float32Array[]>((sound, effect) => applyEffect(sound, effect, context), audio);
    measurements.push(await measureLayer(slice, dry, wet, span));
    for (const c of [0, 1] as const) for (let k = 0; k < length; k++) mix[c][k]! += wet[c]![k]!;
    const region = task.layerRegions?.[i];
    if (region) writeRegion(region, wet);
    const layerFile = task.layerFiles?.[i];
    if (layerFile !== undefined) writeCacheFile(layerFile, { offset: base }, wet);
  }
  const longestPauseSec = longestPause(mix, context.start, context.end, task);
  const described = { offset: base, longestPauseSec, measurements };
  if (task.cacheFile !== undefined) writeCacheFile(task.cacheFile, described, mix);
  return { ...described, channels: mix };
}

/** Removes what is not singing from vocal stems, and ducks quieter voices under louder ones. `start` is the section's first sample. */
function separateVoices(voices: readonly Layer[], start: number): void {
  for (const { slice, audio } of voices) {
    if (slice.presence) applyCurve(audio, start, voiceGains(slice.presence));
    expand(audio, SAMPLE_RATE, { ...VOICE_EXPANSION, thresholdDb: VOICE_FLOOR_DB + slice.volumeDb });
  }
  const ranked = voices.toSorted((a, b) => b.slice.volumeDb - a.slice.volumeDb);
  ranked.forEach((voice, rank) => {
    for (const louder of ranked.slice(0, rank)) duck(voice.audio, louder.audio, SAMPLE_RATE, SECOND_VOICE_DUCK);
  });
}

/** Filters and ducks the layers so that one bass plays in the low band and the voices stay audible. */
function makeRoom(layers: readonly Layer[], voices: readonly Layer[]): void {
  const basses = layers.filter(({ slice }) => slice.stem === 'bass');
  const loudestBass = basses.toSorted((a, b) => b.slice.volumeDb - a.slice.volumeDb)[0]?.slice;
  for (const { slice, audio } of layers) {
    if (slice.stem === 'bass' && slice !== loudestBass) {
      // Twice, because a single pass leaves an audible fundamental of 60 Hz.
      applyFilter(audio, SAMPLE_RATE, { kind: 'high-pass', frequency: SECOND_BASS_HIGH_PASS_HZ });
      applyFilter(audio, SAMPLE_RATE, { kind: 'high-pass', frequency: SECOND_BASS_HIGH_PASS_HZ });
    }
    if (slice.stem !== 'other') continue;
    if (loudestBass && loudestBass.songId !== slice.songId) {
      applyFilter(audio, SAMPLE_RATE, { kind: 'high-pass', frequency: BED_HIGH_PASS_HZ });
    }
    if (voices.some((voice) => voice.slice.songId !== slice.songId)) applyFilter(audio, SAMPLE_RATE, CONSONANT_CUT);
    for (const voice of voices) duck(audio, voice.audio, SAMPLE_RATE, DUCK);
  }
}

/** Gains that lower a vocal stem where nobody sings. One step of the curve before and after singing is not lowered. */
function voiceGains(presence: Curve): Curve {
  const { values, hop_sec } = presence;
  const sings = (i: number): boolean => (values[i] ?? 1) > NO_VOICE.presence;
  const lowered = 10 ** (NO_VOICE.gainDb / 20);
  return { hop_sec, values: values.map((_, i) => (sings(i - 1) || sings(i) || sings(i + 1) ? 1 : lowered)) };
}

/** Multiplies channels in place by a curve that starts at sample `start`, interpolated linearly between the middles of its steps. */
function applyCurve(channels: Channels, start: number, curve: Curve): void {
  const { hop_sec, values } = curve;
  const last = values.length - 1;
  if (last < 0) return;
  const [left, right] = channels;
  for (let i = 0; i < left.length; i++) {
    const at = Math.min(last, Math.max(0, (i - start) / SAMPLE_RATE / hop_sec - 0.5));
    const below = Math.floor(at);
    const gain = values[below]! + (at - below) * (values[Math.min(last, below + 1)]! - values[below]!);
    left[i]! *= gain;
    right[i]! *= gain;
  }
}

/**
 * Longest time, in seconds, within samples `from..to` in which both channels are silent. A silence at the boundary of another section
 * counts twice, since the other section may be silent there as well.
 */
function longestPause(channels: Channels, from: number, to: number, { first, last }: SectionTask): number {
  let quiet = 0;
  let longest = 0;
  for (let i = from; i < to; i++) {
    const silent = Math.abs(channels[0][i]!) < SILENCE && Math.abs(channels[1][i]!) < SILENCE;
    quiet = silent ? quiet + 1 : 0;
    const atBoundary = (!last && i === to - 1) || (!first && quiet === i - from + 1);
    longest = Math.max(longest, atBoundary ? 2 * quiet : quiet);
  }
  return longest / SAMPLE_RATE;
}

/** One section of the mashup: its clips cut from their runs, levelled, treated and summed. */
import type { Effect } from '../../../music/plan/effects.ts';
import type { Curve, Stem } from '../../../schema.ts';
import { duck, expand } from '../../../audio/level/envelope.ts';
import { applyFilter } from '../../../audio/effects/filters.ts';
import { SAMPLE_RATE } from '../../../audio/decode/decode.ts';
import { applyEffect, type EffectContext } from '../../../audio/effects/effects.ts';
import { hearLayer, type LayerSound } from '../measure/layer.ts';
import { readSpot, type Spot } from '../files/scratch.ts';

/** Room after a section for what its echoes and reverberation leave. */
const TAIL_SEC = 3;
/** Length of the change between two sections, in beats; it ends on the boundary, so that the first beat is whole. */
const TRANSITION_BEATS: Record<Stem, number> = { vocals: 1, other: 1, bass: 0.125, drums: 0.0625 };
/** Drums that stop are silent this long before the boundary: strokes begin before their beat, and half of one is a tick. */
const DRUMS_STOP_SEC = 0.008;
/** Between two places of the same song, where a layer loops. */
const LOOP_FADE_SEC = 0.03;
const FIRST_FADE_SEC = 0.005;
const LAST_FADE_BEATS = 1;

/** A vocal stem under this level (RMS dBFS, at matched loudness) holds no voice. */
const VOICE_FLOOR_DB = -42;
const VOICE_EXPANSION = { rangeDb: 18, releaseSec: 0.15 };
/** -56 dBFS: what is under it is not heard beside music. */
const SILENCE = 0.0016;
const DUCK = { depthDb: 2.5, thresholdDb: -38, releaseSec: 0.25 };
/** Where consonants are: taken out of the bed under another song's voice. */
const POCKET = { kind: 'peak', frequency: 2200, q: 0.7, gainDb: -2.5 } as const;
/** Where the analysis finds no voice in a vocal stem, what is there is somebody else's. */
const NO_VOICE = { presence: 0.08, gainDb: -12 };
/** One sings at a time: the quieter of two voices waits for the louder's pauses. */
const SECOND_VOICE_DUCK = { depthDb: 30, thresholdDb: -48, releaseSec: 0.3 };
/** A second bass keeps its upper notes; its fundamentals leave. */
const SECOND_BASS_HIGH_PASS_HZ = 220;
/** The bed's own low notes leave when a bass from another song plays. */
const BED_HIGH_PASS_HZ = 140;

type Channels = [Float32Array, Float32Array];

export type ClipAudio = {
  songId: string;
  stem: Stem;
  volumeDb: number;
  effects: Effect[];
  joinsPrevious: boolean;
  joinsNext: boolean;
  /** `start` and `end` in seconds of the mashup; `origin` is the moment of the run's first sample. */
  parts: { spot: Spot; origin: number; start: number; end: number }[];
  /** How much singing the analysis finds, from the section's start on; of vocals, where it is known. */
  presence: Curve | undefined;
};

export type SectionTask = {
  start: number;
  end: number;
  bpm: number;
  beatsPerBar: number;
  first: boolean;
  last: boolean;
  clips: ClipAudio[];
};

/** `channels` begin at `offset` samples of the mashup; `longestPauseSec` is the longest silence within the section. */
export type SectionResult = { offset: number; channels: Channels; longestPauseSec: number; heard: LayerSound[] };

const frame = (seconds: number): number => Math.round(seconds * SAMPLE_RATE);

/** Adds a part to `into` with its fades; `base` is the mashup's sample at the start of `into`. */
function addPart(
  into: Channels,
  base: number,
  part: ClipAudio['parts'][number],
  fades: {
    fadeIn: number;
    fadeOut: number;
    coherentIn: boolean;
    coherentOut: boolean;
    beforeStart: boolean;
    stopEarly: number;
  },
): void {
  const start = frame(part.start);
  const end = frame(part.end) - fades.stopEarly;
  const origin = frame(part.origin);
  const from = fades.beforeStart ? start - fades.fadeIn : start;
  const shape = (x: number, coherent: boolean): number =>
    coherent ? Math.sin((x * Math.PI) / 2) ** 2 : Math.sin((x * Math.PI) / 2);
  const first = Math.max(from, origin, base);
  const last = Math.max(first, Math.min(end, origin + part.spot.frames));
  const sound = readSpot(part.spot, first - origin, last - origin);
  for (const c of [0, 1] as const) {
    const source = sound[c];
    const target = into[c];
    for (let i = first; i < last; i++) {
      let gain = 1;
      if (i < from + fades.fadeIn) gain = shape((i - from + 0.5) / fades.fadeIn, fades.coherentIn);
      if (i >= end - fades.fadeOut) gain *= shape((end - i - 0.5) / fades.fadeOut, fades.coherentOut);
      target[i - base]! += source[i - first]! * gain;
    }
  }
}

function clipAudio(clip: ClipAudio, task: SectionTask, base: number, length: number): Channels {
  const audio: Channels = [new Float32Array(length), new Float32Array(length)];
  const transition = frame((TRANSITION_BEATS[clip.stem] * 60) / task.bpm);
  const loop = frame(LOOP_FADE_SEC);
  clip.parts.forEach((part, i) => {
    const opens = i === 0;
    const closes = i === clip.parts.length - 1;
    addPart(audio, base, part, {
      fadeIn: !opens ? loop : task.first ? frame(FIRST_FADE_SEC) : transition,
      fadeOut: !closes ? loop : task.last ? frame((LAST_FADE_BEATS * 60) / task.bpm) : transition,
      coherentIn: opens && clip.joinsPrevious,
      coherentOut: closes && clip.joinsNext,
      beforeStart: !(opens && task.first),
      stopEarly: clip.stem === 'drums' && closes && !clip.joinsNext && !task.last ? frame(DRUMS_STOP_SEC) : 0,
    });
  });
  const gain = 10 ** (clip.volumeDb / 20);
  for (const samples of audio) for (let i = 0; i < length; i++) samples[i]! *= gain;
  return audio;
}

/** Gains that take back what sounds in a vocal stem where nobody sings; a step to each side of singing stays open. */
function voiceGains(presence: Curve): Curve {
  const { values, hop_sec } = presence;
  const open = (i: number): boolean => (values[i] ?? 1) > NO_VOICE.presence;
  const closed = 10 ** (NO_VOICE.gainDb / 20);
  return { hop_sec, values: values.map((_, i) => (open(i - 1) || open(i) || open(i + 1) ? 1 : closed)) };
}

/** Multiplies channels in place by a curve that starts at sample `start`, with straight lines between the middles of its steps. */
function applyCurve(channels: Channels, start: number, curve: Curve): void {
  const { hop_sec, values } = curve;
  const last = values.length - 1;
  if (last < 0) return;
  for (const samples of channels) {
    for (let i = 0; i < samples.length; i++) {
      const at = Math.min(last, Math.max(0, (i - start) / SAMPLE_RATE / hop_sec - 0.5));
      const below = Math.floor(at);
      samples[i]! *= values[below]! + (at - below) * (values[Math.min(last, below + 1)]! - values[below]!);
    }
  }
}

/** Renders a section. Clips come at matched levels; the result has room for the change before it and for tails after it. */
export async function renderSection(task: SectionTask): Promise<SectionResult> {
  const head = task.first ? 0 : frame(60 / task.bpm);
  const base = frame(task.start) - head;
  const end = frame(task.end);
  const length = end - base + (task.last ? 0 : frame(TAIL_SEC));
  const context: EffectContext = {
    sampleRate: SAMPLE_RATE,
    beatSec: 60 / task.bpm,
    beatsPerBar: task.beatsPerBar,
    start: head,
    end: end - base,
  };
  const layers = task.clips.map((clip) => ({ clip, audio: clipAudio(clip, task, base, length) }));

  const loudestBass = task.clips.filter((clip) => clip.stem === 'bass').sort((a, b) => b.volumeDb - a.volumeDb)[0];
  const voices = layers.filter(({ clip }) => clip.stem === 'vocals');
  for (const { clip, audio } of voices) {
    if (clip.presence) applyCurve(audio, context.start, voiceGains(clip.presence));
    expand(audio, SAMPLE_RATE, { ...VOICE_EXPANSION, thresholdDb: VOICE_FLOOR_DB + clip.volumeDb });
  }
  const ranked = voices.toSorted((a, b) => b.clip.volumeDb - a.clip.volumeDb);
  ranked.forEach((voice, rank) => {
    for (const louder of ranked.slice(0, rank)) duck(voice.audio, louder.audio, SAMPLE_RATE, SECOND_VOICE_DUCK);
  });
  for (const { clip, audio } of layers) {
    if (clip.stem === 'bass' && clip !== loudestBass) {
      // Twice: a single pass leaves a fundamental of 60 Hz to be felt.
      applyFilter(audio, SAMPLE_RATE, { kind: 'high-pass', frequency: SECOND_BASS_HIGH_PASS_HZ });
      applyFilter(audio, SAMPLE_RATE, { kind: 'high-pass', frequency: SECOND_BASS_HIGH_PASS_HZ });
    }
    if (clip.stem !== 'other') continue;
    if (loudestBass && loudestBass.songId !== clip.songId) {
      applyFilter(audio, SAMPLE_RATE, { kind: 'high-pass', frequency: BED_HIGH_PASS_HZ });
    }
    if (voices.some((voice) => voice.clip.songId !== clip.songId)) applyFilter(audio, SAMPLE_RATE, POCKET);
    for (const voice of voices) duck(audio, voice.audio, SAMPLE_RATE, DUCK);
  }

  const mix: Channels = [shared(length), shared(length)];
  const heard: LayerSound[] = [];
  const span = { from: context.start, to: context.end, sampleRate: SAMPLE_RATE };
  for (const { clip, audio } of layers) {
    // Effects may work in place; strokes are heard without them.
    const dry = clip.stem === 'drums' ? audio.map((samples) => samples.slice()) : audio;
    const treated = clip.effects.reduce<Float32Array[]>((sound, effect) => applyEffect(sound, effect, context), audio);
    heard.push(await hearLayer(clip, dry, treated, span));
    for (const c of [0, 1] as const) for (let i = 0; i < length; i++) mix[c][i]! += treated[c]![i]!;
  }
  return { offset: base, channels: mix, longestPauseSec: longestPause(mix, context.start, context.end, task), heard };
}

/**
 * Longest stretch of `from..to` (samples) in seconds in which no channel has any sound. One that touches a neighbour counts
 * twice, since that may pause there as well.
 */
function longestPause(channels: Channels, from: number, to: number, { first, last }: SectionTask): number {
  let quiet = 0;
  let longest = 0;
  for (let i = from; i < to; i++) {
    const silent = Math.abs(channels[0][i]!) < SILENCE && Math.abs(channels[1][i]!) < SILENCE;
    quiet = silent ? quiet + 1 : 0;
    const atNeighbour = (!last && i === to - 1) || (!first && quiet === i - from + 1);
    longest = Math.max(longest, atNeighbour ? 2 * quiet : quiet);
  }
  return longest / SAMPLE_RATE;
}

/** Samples that another thread can read without a copy. */
function shared(length: number): Float32Array<SharedArrayBuffer> {
  return new Float32Array(new SharedArrayBuffer(4 * length));
}

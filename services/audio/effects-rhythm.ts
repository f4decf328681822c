/** Effects in time: ducking, gates, stutters, reversal, fades and risers. */
import type { EffectContext, EffectProcess } from './effects.ts';
import { duck, expand } from './envelope.ts';
import { applyMovingFilter } from './filters.ts';

const beatFrames = (context: EffectContext, beats: number): number =>
  Math.max(1, Math.round(beats * context.beatSec * context.sampleRate));

/** Multiplies by `gain(i)`, where `i` counts samples from the start of the section. */
function shape(channels: Float32Array[], start: number, gain: (i: number) => number): Float32Array[] {
  for (const samples of channels) for (let i = 0; i < samples.length; i++) samples[i]! *= gain(i - start);
  return channels;
}

const modulo = (a: number, n: number): number => ((a % n) + n) % n;

/** Share of a beat in which the level comes down before it, so that nothing clicks. */
const SIDECHAIN_LEAD = 0.02;

/** Room for the kick: down on each beat, and back up in the release time. */
const sidechain: EffectProcess = (channels, context, param) => {
  const floor = 10 ** (-param('depth_db') / 20);
  const beat = context.beatSec * context.sampleRate;
  const release = (param('release_ms') / 1000) * context.sampleRate;
  return shape(channels, context.start, (i) => {
    const at = modulo(i, beat);
    const opened = Math.min(1 - Math.exp((-2.5 * at) / release), (beat - at) / (beat * SIDECHAIN_LEAD));
    return floor + (1 - floor) * Math.min(1, opened);
  });
};

/** Under the voices of other layers; over this level (RMS dBFS) a voice counts. */
const VOICE_THRESHOLD_DB = -38;

const duckUnderVoices: EffectProcess = (channels, { sampleRate, voices }, param) => {
  const options = {
    depthDb: param('depth_db'),
    thresholdDb: VOICE_THRESHOLD_DB,
    releaseSec: param('release_ms') / 1000,
  };
  if (voices.length > 0) duck(channels, voices, sampleRate, options);
  return channels;
};

/** Deep enough to be silence, shallow enough not to click. */
const GATE_RANGE_DB = 60;

const gate: EffectProcess = (channels, { sampleRate }, param) => {
  const options = {
    thresholdDb: param('threshold_db'),
    rangeDb: GATE_RANGE_DB,
    releaseSec: param('release_ms') / 1000,
  };
  expand(channels, sampleRate, options);
  return channels;
};

/** The section backwards, between its boundaries. */
const reverse: EffectProcess = (channels, context) => {
  const edge = Math.round(0.005 * context.sampleRate);
  for (const samples of channels) {
    const part = samples.subarray(context.start, context.end).reverse();
    for (let i = 0; i < Math.min(edge, part.length); i++) {
      part[i]! *= i / edge;
      part[part.length - 1 - i]! *= i / edge;
    }
  }
  return channels;
};

/** The last bars repeat one short slice. */
const stutter: EffectProcess = (channels, context, param) => {
  const slice = beatFrames(context, param('beats'));
  const span = beatFrames(context, param('bars') * context.beatsPerBar);
  const from = Math.max(context.start, context.end - span);
  const edge = Math.min(slice / 4, 0.003 * context.sampleRate);
  for (const samples of channels) {
    const source = samples.slice(from, from + slice);
    for (let i = from; i < context.end; i++) {
      const at = (i - from) % slice;
      samples[i] = source[at]! * Math.min(1, at / edge, (slice - at) / edge);
    }
  }
  return channels;
};

function fade(direction: 'in' | 'out'): EffectProcess {
  return (channels, context, param) => {
    const whole = context.end - context.start;
    const span = Math.min(whole, beatFrames(context, param('bars') * context.beatsPerBar));
    return shape(channels, context.start, (i) => {
      const x = direction === 'in' ? i / span : (whole - i) / span;
      return Math.sin((Math.min(1, Math.max(0, x)) * Math.PI) / 2);
    });
  };
}

/** Filtered noise that rises over the last bars and stops on the boundary. */
const riser: EffectProcess = (channels, context, param) => {
  const span = Math.min(context.end - context.start, beatFrames(context, param('bars') * context.beatsPerBar));
  const from = context.end - span;
  const level = 10 ** (param('level_db') / 20);
  const swell = channels.map((_, c) => {
    let state = 0x9e3779b9 ^ c;
    return Float32Array.from({ length: span }, (_unused, i) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return (state / 2 ** 31 - 1) * level * (i / span) ** 2 * Math.min(1, (span - i) / 200);
    });
  });
  applyMovingFilter(swell, context.sampleRate, { kind: 'band-pass', q: 1.2 }, (i) => 300 * 40 ** (i / span));
  return channels.map((samples, c) => {
    for (let i = 0; i < span; i++) samples[from + i]! += swell[c]![i]! * 2;
    return samples;
  });
};

export const rhythmEffects = {
  sidechain,
  duck: duckUnderVoices,
  gate,
  reverse,
  stutter,
  fade_in: fade('in'),
  fade_out: fade('out'),
  riser,
};

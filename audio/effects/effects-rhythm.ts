/** Effects in time: ducking, gates, stutters, reversal, fades and risers. */
import type { EffectContext, EffectProcess } from './effects.ts';
import { applyMovingFilter } from './filters.ts';

const beatFrames = (context: EffectContext, beats: number): number =>
  Math.max(1, Math.round(beats * context.beatSec * context.sampleRate));

/** Multiplies by `gain(i)`, where `i` counts samples from the start of the section. */
function shape(channels: Float32Array[], start: number, gain: (i: number) => number): Float32Array[] {
  for (const samples of channels) for (let i = 0; i < samples.length; i++) samples[i]! *= gain(i - start);
  return channels;
}

const modulo = (a: number, n: number): number => ((a % n) + n) % n;

/** Share of the span in which the level comes down before the beat, so that nothing clicks. */
const SIDECHAIN_LEAD = 0.02;
/** Share of the span after which the level is back. */
const SIDECHAIN_RECOVERY = 0.7;

/** Room for the kick: down on the beat, and back up before the next. */
const sidechain: EffectProcess = (channels, context, param) => {
  const floor = 10 ** (-param('depth') / 20);
  const span = param('beats') * context.beatSec * context.sampleRate;
  return shape(channels, context.start, (i) => {
    const phase = modulo(i, span) / span;
    const opened = Math.min(1, (phase / SIDECHAIN_RECOVERY) ** 1.5, (1 - phase) / SIDECHAIN_LEAD);
    return floor + (1 - floor) * opened;
  });
};

const GATE_EDGE_SEC = 0.003;

/** Opens and shuts in time. */
const gate: EffectProcess = (channels, context, param) => {
  const step = param('beats') * context.beatSec * context.sampleRate;
  const shut = step * param('open');
  const floor = 1 - param('depth');
  const edge = GATE_EDGE_SEC * context.sampleRate;
  return shape(channels, context.start, (i) => {
    const at = modulo(i, step);
    return floor + (1 - floor) * Math.max(0, Math.min(1, at / edge, (shut - at) / edge));
  });
};

/** Samples that the last `bars` of the section have; all of it for 0 bars. */
function lastBars(context: EffectContext, bars: number): number {
  const whole = context.end - context.start;
  return bars > 0 ? Math.min(whole, beatFrames(context, bars * context.beatsPerBar)) : whole;
}

const REVERSE_EDGE_SEC = 0.005;

const reverse: EffectProcess = (channels, context, param) => {
  const edge = Math.round(REVERSE_EDGE_SEC * context.sampleRate);
  const from = context.end - lastBars(context, param('bars'));
  for (const samples of channels) {
    const part = samples.subarray(from, context.end).reverse();
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
  const from = context.end - lastBars(context, param('bars'));
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
    const span = lastBars(context, param('bars'));
    return shape(channels, context.start, (i) => {
      const x = direction === 'in' ? i / span : (whole - i) / span;
      return Math.sin((Math.min(1, Math.max(0, x)) * Math.PI) / 2);
    });
  };
}

/** Filtered noise that rises over the last bars and stops on the boundary. */
const riser: EffectProcess = (channels, context, param) => {
  const span = lastBars(context, param('bars'));
  const from = context.end - span;
  const level = 10 ** (param('level') / 20);
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
  gate,
  reverse,
  stutter,
  fade_in: fade('in'),
  fade_out: fade('out'),
  riser,
};

/** Rhythmic effects: ducking, gates, stutters, reversal, fades and risers. */
import type { EffectContext, EffectProcess } from './effect-process.ts';
import { applyMovingFilter } from './filters.ts';

const beatFrames = (context: EffectContext, beats: number): number =>
  Math.max(1, Math.round(beats * context.beatSec * context.sampleRate));

/** Multiplies by `gain(i)`, where `i` counts samples from the start of the section. */
function shape(channels: Float32Array[], start: number, gain: (i: number) => number): Float32Array[] {
  for (const samples of channels) for (let i = 0; i < samples.length; i++) samples[i]! *= gain(i - start);
  return channels;
}

const modulo = (a: number, n: number): number => ((a % n) + n) % n;

/** Share of the span before the beat in which the level falls. Prevents clicks. */
const SIDECHAIN_LEAD = 0.02;
/** Share of the span after the beat in which the level recovers. */
const SIDECHAIN_RECOVERY = 0.7;

/** Sidechain compression: lowers the level on each beat and restores it before the next. */
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

/** Opens and closes rhythmically. */
const gate: EffectProcess = (channels, context, param) => {
  const step = param('beats') * context.beatSec * context.sampleRate;
  const closing = step * param('open');
  const floor = 1 - param('depth');
  const edge = GATE_EDGE_SEC * context.sampleRate;
  return shape(channels, context.start, (i) => {
    const at = modulo(i, step);
    return floor + (1 - floor) * Math.max(0, Math.min(1, at / edge, (closing - at) / edge));
  });
};

/** Length of the last `bars` of the section in samples; the whole section for 0 bars. */
function lastBars(context: EffectContext, bars: number): number {
  const whole = context.end - context.start;
  return bars > 0 ? Math.min(whole, beatFrames(context, bars * context.beatsPerBar)) : whole;
}

const REVERSE_EDGE_SEC = 0.005;

/** Plays the last bars backwards. */
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

/** Repeats one short slice over the last bars. */
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

/** Adds filtered noise that rises over the last bars and stops at the end of the section. */
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

/** Effects by their name in the grammar. */
export const rhythmEffects = {
  sidechain,
  gate,
  reverse,
  stutter,
  fade_in: fade('in'),
  fade_out: fade('out'),
  riser,
};

/** Effects that add space: reverberation, echoes, width. */
import type { EffectContext, EffectProcess } from './effects.ts';
import { applyFilter } from './filters.ts';
import { reverberate } from './reverb.ts';

/** Wet sound without the low end, which would only make the mix muddy. */
const WET_HIGH_PASS_HZ = 220;
const ECHO_LOW_PASS_HZ = 5000;
const ECHO_OUT_LEVEL = 0.8;

const reverb: EffectProcess = (channels, { sampleRate }, param) => {
  const wet = reverberate(channels, sampleRate, param('decay'));
  applyFilter(wet, sampleRate, { kind: 'high-pass', frequency: WET_HIGH_PASS_HZ });
  const mix = param('mix');
  return channels.map((dry, c) => dry.map((x, i) => x * (1 - mix * 0.4) + wet[c]![i]! * mix * 2.2));
};

/** Repeats of the sound; with `cross` each repeat changes sides. */
function echoes(
  channels: Float32Array[],
  context: EffectContext,
  beats: number,
  feedback: number,
  cross: boolean,
): Float32Array[] {
  const delay = Math.max(1, Math.round(beats * context.beatSec * context.sampleRate));
  const length = channels[0]!.length;
  const source = channels.map((samples) => samples.slice());
  if (cross) {
    const mono = source[0]!.map((x, i) => (x + source[1]![i]!) / 2);
    source[0] = mono;
    source[1] = new Float32Array(length);
  }
  applyFilter(source, context.sampleRate, { kind: 'high-pass', frequency: WET_HIGH_PASS_HZ });
  applyFilter(source, context.sampleRate, { kind: 'low-pass', frequency: ECHO_LOW_PASS_HZ });
  const wet = [new Float32Array(length), new Float32Array(length)];
  for (let i = delay; i < length; i++) {
    const left = source[0]![i - delay]!;
    const right = source[1]![i - delay]!;
    wet[0]![i] = left + feedback * wet[cross ? 1 : 0]![i - delay]!;
    wet[1]![i] = right + feedback * wet[cross ? 0 : 1]![i - delay]!;
  }
  return wet;
}

function delay(cross: boolean): EffectProcess {
  return (channels, context, param) => {
    const wet = echoes(channels, context, param('beats'), param('feedback'), cross);
    const mix = param('mix');
    return channels.map((dry, c) => dry.map((x, i) => x + wet[c]![i]! * mix));
  };
}

/** The layer leaves in its last bars while its echoes ring on over the boundary. */
const echoOut: EffectProcess = (channels, context, param) => {
  const span = Math.round(param('bars') * context.beatsPerBar * context.beatSec * context.sampleRate);
  const from = Math.max(context.start, context.end - span);
  const fed = channels.map((samples) => {
    const thrown = samples.slice();
    thrown.fill(0, 0, from);
    return thrown;
  });
  const wet = echoes(fed, context, param('beats'), param('feedback'), true);
  const leaving = (i: number): number => Math.min(1, Math.max(0, (context.end - i) / (context.end - from)));
  return channels.map((dry, c) => dry.map((x, i) => x * leaving(i) + wet[c]![i]! * ECHO_OUT_LEVEL));
};

const width: EffectProcess = (channels, _context, param) => {
  const amount = param('amount');
  const [left, right] = channels as [Float32Array, Float32Array];
  for (let i = 0; i < left.length; i++) {
    const middle = (left[i]! + right[i]!) / 2;
    const side = ((left[i]! - right[i]!) / 2) * amount;
    left[i] = middle + side;
    right[i] = middle - side;
  }
  return channels;
};

export const spaceEffects = {
  reverb,
  delay: delay(false),
  pingpong: delay(true),
  echo_out: echoOut,
  width,
};

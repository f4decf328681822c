/** Spatial effects: reverberation, echoes, stereo width. */
import type { EffectContext, EffectProcess } from './effect-process.ts';
import { applyFilter } from './filters.ts';
import { reverberate } from './reverb.ts';

/** High-pass of reverberation and echoes: low frequencies would make the mix muddy. */
const WET_HIGH_PASS_HZ = 220;
const ECHO_LOW_PASS_HZ = 5000;
const ECHO_OUT_LEVEL = 0.8;

const reverb: EffectProcess = (channels, { sampleRate }, param) => {
  const wet = reverberate(channels, sampleRate, param('decay'));
  applyFilter(wet, sampleRate, { kind: 'high-pass', frequency: WET_HIGH_PASS_HZ });
  const mix = param('mix');
  return channels.map((dry, c) => dry.map((x, i) => x * (1 - mix * 0.4) + wet[c]![i]! * mix * 2.2));
};

/** Echoes of the sound, without the dry signal. With `cross` they alternate between the channels. */
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

/** Fades the layer out in its last bars. Its echoes continue after the section. */
const echoOut: EffectProcess = (channels, context, param) => {
  const span = Math.round(param('bars') * context.beatsPerBar * context.beatSec * context.sampleRate);
  const from = Math.max(context.start, context.end - span);
  const fed = channels.map((samples) => {
    const input = samples.slice();
    input.fill(0, 0, from);
    return input;
  });
  const wet = echoes(fed, context, param('beats'), param('feedback'), true);
  const fadeOut = (i: number): number => Math.min(1, Math.max(0, (context.end - i) / (context.end - from)));
  return channels.map((dry, c) => dry.map((x, i) => x * fadeOut(i) + wet[c]![i]! * ECHO_OUT_LEVEL));
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

/** Effects by their name in the grammar. */
export const spaceEffects = {
  reverb,
  delay: delay(false),
  pingpong: delay(true),
  echo_out: echoOut,
  width,
};

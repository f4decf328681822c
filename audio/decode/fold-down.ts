/** Folds channels of any layout to stereo (ITU-R BS.775-3, annex 4). One rule holds for all containers. */
import type { ChannelLayout, Speaker } from './channel-layout.ts';
import { wavLayout } from './channel-layout.ts';
import type { StereoChunk } from './opened-audio.ts';

/** Gain of centre and surrounds against left and right: -3 dB. */
const MINUS_3_DB = Math.SQRT1_2;

/** Gains of a position to left and right, before the level of the whole is set. Low-frequency channels are left out. */
const GAINS: Record<Speaker, readonly [left: number, right: number]> = {
  L: [1, 0],
  R: [0, 1],
  C: [MINUS_3_DB, MINUS_3_DB],
  Ls: [MINUS_3_DB, 0],
  Rs: [0, MINUS_3_DB],
  Cs: [0.5, 0.5],
  LFE: [0, 0],
  unknown: [0, 0],
};

type Gains = readonly (readonly [left: number, right: number])[];

/**
 * The gains of each channel. The louder of both sums of gains is one: a file never clips by being folded, and a mono file is as
 * loud as it is.
 */
function foldGains(layout: ChannelLayout): Gains {
  const gains = layout.map((speaker) => GAINS[speaker]);
  const sounding = gains.filter(([left, right]) => left + right > 0);
  // A single channel is heard in the middle, whatever its position.
  if (sounding.length === 1) return gains.map((gain) => (gain === sounding[0] ? [1, 1] : [0, 0]));
  const sum = (side: 0 | 1): number => gains.reduce((total, gain) => total + gain[side], 0);
  const scale = 1 / Math.max(sum(0), sum(1));
  return gains.map(([left, right]) => [left * scale, right * scale]);
}

function mixSide(channels: readonly Float32Array[], gains: Gains, side: 0 | 1): Float32Array {
  const out = new Float32Array(channels[0]!.length);
  channels.forEach((samples, channel) => {
    const gain = gains[channel]![side];
    if (gain === 0) return;
    for (let i = 0; i < out.length; i++) out[i]! += gain * samples[i]!;
  });
  return out;
}

/**
 * Folds equally long channels to stereo. Mono and stereo are returned as they are, without a copy.
 * @param layout positions of the channels. If their number differs, the order of WAV is assumed
 */
export function foldDown(channels: readonly Float32Array[], layout: ChannelLayout): StereoChunk {
  const [first, second] = channels as [Float32Array, Float32Array | undefined];
  if (!second) return [first, first];
  const positions = layout.length === channels.length ? layout : wavLayout(channels.length);
  if (channels.length === 2 && positions[0] === 'L' && positions[1] === 'R') return [first, second];
  const usable = positions.some((speaker) => GAINS[speaker][0] + GAINS[speaker][1] > 0);
  const gains = foldGains(usable ? positions : wavLayout(channels.length));
  return [mixSide(channels, gains, 0), mixSide(channels, gains, 1)];
}

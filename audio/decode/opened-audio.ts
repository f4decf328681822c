import type { ChannelLayout } from './channel-layout.ts';

/** Consecutive samples of two channels, equally long, full scale 1. */
export type StereoChunk = [left: Float32Array, right: Float32Array];

/** A file that is open for decoding. Chunks hold one array for each channel, at the rate of the source; full scale is 1. */
export type OpenedAudio = {
  sampleRate: number;
  channels: number;
  /** Positions of the channels, one for each. */
  layout: ChannelLayout;
  /** Samples of one channel that the file declares; null if it declares no length. */
  declaredSamples: number | null;
  /** A fault that is known before decoding. */
  fault: 'damaged' | 'truncated' | null;
  /** An irregularity that is no reason to reject the file. */
  warning?: string;
  chunks: AsyncGenerator<Float32Array[]>;
};

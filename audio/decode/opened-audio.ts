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
  /** Samples of one channel that decoding must give, or the file is cut; null if decoding cannot show that. */
  expectedSamples: number | null;
  /** Irregularities that are no reason to reject the file. */
  warnings: string[];
  chunks: AsyncGenerator<Float32Array[]>;
};

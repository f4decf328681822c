/** Files that consist of parts with properties of their own, such as recorded broadcasts and joined songs. */
import { Resampler } from '../time/resample.ts';
import type { ChannelLayout } from './channel-layout.ts';
import { foldDown } from './fold-down.ts';

/** A part of a file. */
export type Part = {
  sampleRate: number;
  channels: number;
  layout: ChannelLayout;
  /** Decodes the part. Chunks hold one array for each channel, at `sampleRate`. */
  decode: () => AsyncGenerator<Float32Array[]>;
};

/** Parts as one sound. */
export type JoinedParts = {
  sampleRate: number;
  channels: number;
  layout: ChannelLayout;
  chunks: AsyncGenerator<Float32Array[]>;
};

/**
 * Joins the parts of a file, of which there is at least one. The rate is that of the first part. Parts that differ in their
 * channels are folded to stereo.
 */
export function joinParts(parts: readonly Part[]): JoinedParts {
  const { sampleRate, channels, layout } = parts[0]!;
  const isFolded = parts.some((part) => part.layout.join() !== layout.join());
  async function* chunks(): AsyncGenerator<Float32Array[]> {
    for (const part of parts) {
      let resamplers: Resampler[] | null = null;
      for await (const decoded of part.decode()) {
        const chunk = isFolded ? foldDown(decoded, part.layout) : decoded;
        if (part.sampleRate !== sampleRate) resamplers ??= chunk.map(() => new Resampler(part.sampleRate, sampleRate));
        yield resamplers ? resamplers.map((resampler, i) => resampler.push(chunk[i]!)) : chunk;
      }
      if (resamplers) yield resamplers.map((resampler) => resampler.flush());
    }
  }
  return { sampleRate, channels: isFolded ? 2 : channels, layout: isFolded ? ['L', 'R'] : layout, chunks: chunks() };
}

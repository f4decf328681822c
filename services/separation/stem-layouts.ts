/** Stems of songs that are not separated into four: voices alone, and sound without a beat. */
import type { StemLayout } from '../../schema.ts';
import type { StereoChunk } from '../../audio/decode/decode.ts';
import type { StemChunk } from './block-separator.ts';
import type { SeparationMethod } from './method.ts';
import { separate } from './separator.ts';

const silence = (length: number): StereoChunk => [new Float32Array(length), new Float32Array(length)];

/** Stems of voices alone: all of the sound is vocals. The stems are as long as the chunks. */
async function* voicesOnly(chunks: AsyncIterable<StereoChunk>): AsyncGenerator<StemChunk> {
  for await (const vocals of chunks) {
    const [{ length }] = vocals;
    yield { vocals, drums: silence(length), bass: silence(length), other: silence(length) };
  }
}

/** Stems of sound without a beat: what was separated as drums and bass is part of other, in place. */
async function* withoutDrums(stems: AsyncIterable<StemChunk>): AsyncGenerator<StemChunk> {
  for await (const chunk of stems) {
    for (const channel of [0, 1] as const) {
      const [other, drums, bass] = [chunk.other[channel], chunk.drums[channel], chunk.bass[channel]];
      for (let i = 0; i < other.length; i++) other[i]! += drums[i]! + bass[i]!;
      drums.fill(0);
      bass.fill(0);
    }
    yield chunk;
  }
}

/**
 * Separates a song in the layout that its content asks for. See `separate`.
 * @param options.samples length of the sound, if it is known
 */
export function separateAs(
  layout: StemLayout | undefined,
  chunks: AsyncIterable<StereoChunk>,
  { method, samples }: { method?: SeparationMethod; samples?: number } = {},
): AsyncGenerator<StemChunk> {
  if (layout === 'voices_only') return voicesOnly(chunks);
  return layout === 'no_drums' ? withoutDrums(separate(chunks, method, samples)) : separate(chunks, method, samples);
}

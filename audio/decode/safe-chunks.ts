import { AudioError } from '../errors.ts';

/**
 * Passes on the chunks of a decoder. Decoders in WebAssembly answer damage with errors of many kinds; all become one.
 * @throws AudioError audio_damaged
 */
export async function* safeChunks(chunks: AsyncGenerator<Float32Array[]>): AsyncGenerator<Float32Array[]> {
  try {
    yield* chunks;
  } catch (cause) {
    if (cause instanceof AudioError) throw cause;
    throw new AudioError('audio_damaged', 'The file cannot be decoded: its content is damaged.', { cause });
  }
}

/** Encodes 16-bit FLAC with libFLAC (WASM) in Node. */
import libflac from 'libflacjs';
import { FlacStreamEncoder, writeFlac } from './flac-file.ts';
import type { Flac, FlacCompression } from './flac-file.ts';
import type { AudioTags } from './tags.ts';

let loading: Promise<Flac> | undefined;

/**
 * Loads the library once per thread. libflacjs assumes a browser if `fetch` exists and would fetch a file path with it.
 * Therefore `fetch` is hidden while the library starts.
 */
function load(): Promise<Flac> {
  return (loading ??= new Promise((resolve) => {
    const descriptor = Object.getOwnPropertyDescriptor(globalThis, 'fetch');
    Object.defineProperty(globalThis, 'fetch', { value: undefined, configurable: true, writable: true });
    try {
      const flac = libflac('release.wasm');
      if (flac.isReady()) resolve(flac);
      else flac.onready = () => resolve(flac);
    } finally {
      if (descriptor) Object.defineProperty(globalThis, 'fetch', descriptor);
    }
  }));
}

/**
 * Encodes equally long channels (-1..1; values beyond are clipped) as 16-bit FLAC.
 * @param compression 0 (fastest) to 8; default 5
 */
export async function encodeFlac(
  channels: Float32Array[],
  sampleRate: number,
  tags: AudioTags,
  compression?: FlacCompression,
): Promise<Uint8Array<ArrayBuffer>> {
  return writeFlac(await load(), channels, sampleRate, tags, compression);
}

/**
 * Returns a function that opens encoders of FLAC streams, once libFLAC is loaded.
 * @throws Error of the function if libFLAC cannot start
 */
export async function flacStreamEncoders(): Promise<
  (options: ConstructorParameters<typeof FlacStreamEncoder>[1]) => FlacStreamEncoder
> {
  const flac = await load();
  return (options) => new FlacStreamEncoder(flac, options);
}

/** Encodes 16-bit FLAC with libFLAC (WASM) in Node. */
import libflac from 'libflacjs';
import { FlacFileWriter, writeFlac } from './flac-file.ts';
import type { Flac } from './flac-file.ts';
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

/** Encodes equally long channels (-1..1; values beyond are clipped) as 16-bit FLAC. */
export async function encodeFlac(
  channels: Float32Array[],
  sampleRate: number,
  tags: AudioTags,
): Promise<Uint8Array<ArrayBuffer>> {
  return writeFlac(await load(), channels, sampleRate, tags);
}

/**
 * Opens a writer of one 16-bit FLAC file, for samples that arrive in pieces.
 * @throws Error if libFLAC cannot start
 */
export async function openFlacWriter(
  options: ConstructorParameters<typeof FlacFileWriter>[1],
): Promise<FlacFileWriter> {
  return new FlacFileWriter(await load(), options);
}

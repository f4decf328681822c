/** FLAC, 16 bit, by libFLAC (WASM) in Node. */
import libflac from 'libflacjs';
import { writeFlac } from './flac-file.ts';
import type { Flac } from './flac-file.ts';
import type { AudioTags } from './tags.ts';

let loading: Promise<Flac> | undefined;

/**
 * Loads the library once for each thread. It takes `fetch` for a sign of a browser and would fetch a file path with it,
 * so there is none while it starts.
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

/** Encodes channels (-1..1; beyond is clipped) to 16-bit FLAC. */
export async function encodeFlac(channels: Float32Array[], sampleRate: number, tags: AudioTags): Promise<Uint8Array> {
  return writeFlac(await load(), channels, sampleRate, tags);
}

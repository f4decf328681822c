/** libFLAC in a browser's worker. It reads the URL of its WASM from a global variable. */
import wasm from 'libflacjs/dist/libflac.min.wasm.wasm?url';
import { writeFlac } from '../../../audio/encode/flac-file.ts';
import type { Flac } from '../../../audio/encode/flac-file.ts';
import type { AudioTags } from '../../../audio/encode/tags.ts';

async function load(): Promise<Flac> {
  Object.assign(globalThis, { FLAC_SCRIPT_LOCATION: { 'libflac.min.wasm.wasm': wasm } });
  const { default: flac } = (await import('libflacjs/dist/libflac.min.wasm.js')) as unknown as { default: Flac };
  if (!flac.isReady()) await new Promise<void>((resolve) => (flac.onready = () => resolve()));
  return flac;
}

/** Encodes channels as a FLAC file with tags. */
export async function encodeFlac(channels: Float32Array[], sampleRate: number, tags: AudioTags): Promise<Uint8Array> {
  return writeFlac(await load(), channels, sampleRate, tags);
}

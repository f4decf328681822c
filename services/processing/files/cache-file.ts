/** Files of the render cache: values and samples with a checksum. Threads write them, and the main thread reads them. */
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { deserialize, serialize } from 'node:v8';
import { threadId } from 'node:worker_threads';
import { crc32 } from 'node:zlib';

/** Before the values: length of the values, and checksum of all that follows; four bytes each. */
const HEAD_BYTES = 8;

/** Deletes a file. One that is in use or must not be deleted stays until the cache is opened again. */
export function deleteIfPossible(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The folder is read-only, or the file is none.
  }
}

/** What a file of the cache holds. The channels are equally long, and empty in a file without samples. */
export type CachedSound = { value: unknown; channels: [Float32Array, Float32Array]; frames: number; bytes: number };

const bytesOf = (samples: Float32Array): Uint8Array =>
  new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);

function writeWhole(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
}

/**
 * Writes a file; others see it when it is complete. The cache is no part of a render: a fault leaves no file.
 * @param value can be cloned
 * @param channels equally long, or none
 */
export function writeCacheFile(path: string, value: unknown, channels: readonly Float32Array[]): void {
  const unfinished = `${path}.${process.pid}-${threadId}`;
  try {
    const values = serialize(value);
    // The samples begin at a multiple of four bytes.
    const padded = Buffer.concat([values, Buffer.alloc((4 - (values.length % 4)) % 4)]);
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32LE(padded.length, 0);
    const parts = [padded, ...channels.map(bytesOf)];
    head.writeUInt32LE(
      parts.reduce((crc, bytes) => crc32(bytes, crc), 0),
      4,
    );
    const file = openSync(unfinished, 'wx', 0o600);
    try {
      for (const bytes of [head, ...parts]) writeWhole(file, bytes);
    } finally {
      closeSync(file);
    }
    renameSync(unfinished, path);
  } catch {
    deleteIfPossible(unfinished);
  }
}

/** Reads a file; null if there is none, or it is broken. */
export async function readCacheFile(path: string): Promise<CachedSound | null> {
  try {
    const bytes = await readFile(path);
    const length = bytes.readUInt32LE(0);
    const position = HEAD_BYTES + length;
    if (position > bytes.length || crc32(bytes.subarray(HEAD_BYTES)) !== bytes.readUInt32LE(4)) return null;
    const value: unknown = deserialize(bytes.subarray(HEAD_BYTES, position));
    const frames = (bytes.length - position) / (2 * Float32Array.BYTES_PER_ELEMENT);
    // A small file may begin anywhere in a buffer that others share.
    const samples = bytes.buffer.slice(bytes.byteOffset + position, bytes.byteOffset + bytes.length);
    const channels: CachedSound['channels'] = [
      new Float32Array(samples, 0, frames),
      new Float32Array(samples, frames * Float32Array.BYTES_PER_ELEMENT, frames),
    ];
    return { value, channels, frames, bytes: bytes.length };
  } catch {
    return null;
  }
}

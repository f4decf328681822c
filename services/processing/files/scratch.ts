/**
 * A temporary file for downloaded stems and for the samples of runs between two steps of a render. In memory, the runs of a
 * four-minute mashup with five layers would take 400 MB. The file is unlinked as soon as it is open, so nothing remains however the
 * process ends. The threads of a process share its file descriptors.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RenderError } from '../errors.ts';

const BYTES = Float32Array.BYTES_PER_ELEMENT;

/** Room for two channels of `frames` samples each, one after the other, from byte `position` of the file on. */
export type ScratchRegion = { fd: number; position: number; frames: number };

/** A file in which every thread can reserve room. `end` is the byte behind all reserved room, in shared memory. */
export type ScratchFile = { fd: number; end: BigInt64Array<SharedArrayBuffer> };

/** Bytes in a scratch file. */
export type StoredBytes = { fd: number; position: number; length: number };

export type Scratch = {
  file: ScratchFile;
  /** Reserves room for two channels of `frames` samples. */
  reserve: (frames: number) => ScratchRegion;
  /**
   * Writes bytes to the file.
   * @throws RenderError render_failed if the disk is full or the file is closed
   */
  store: (bytes: Uint8Array) => StoredBytes;
  close: () => void;
};

/** Reserves room in a scratch file and returns its position. */
function reserveBytes({ end }: ScratchFile, length: number): number {
  return Number(Atomics.add(end, 0, BigInt(length)));
}

/**
 * Opens a new scratch file.
 * @throws RenderError render_failed if the temporary folder is not writable
 */
export function openScratch(): Scratch {
  let fd: number;
  let isClosed = false;
  try {
    const folder = mkdtempSync(join(tmpdir(), 'mashup-'));
    try {
      fd = openSync(join(folder, 'runs'), 'w+');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  } catch (cause) {
    throw diskError(cause);
  }
  const file = { fd, end: new BigInt64Array(new SharedArrayBuffer(8)) };
  return {
    file,
    reserve: (frames) => ({ fd, position: reserveBytes(file, 2 * frames * BYTES), frames }),
    store: (bytes) => {
      // Another file may have the same descriptor after this one is closed.
      if (isClosed) throw new RenderError('render_failed', 'The render has ended', 'Render again.');
      return storeBytes(file, bytes);
    },
    close: () => {
      isClosed = true;
      closeSync(fd);
    },
  };
}

/**
 * Writes bytes to a scratch file.
 * @throws RenderError render_failed if the disk is full
 */
export function storeBytes(file: ScratchFile, bytes: Uint8Array): StoredBytes {
  const position = reserveBytes(file, bytes.length);
  writeAll(file.fd, bytes, position);
  return { fd: file.fd, position, length: bytes.length };
}

/**
 * Reads stored bytes.
 * @throws RenderError render_failed if the file is shorter
 */
export function readStoredBytes({ fd, position, length }: StoredBytes): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  readAll(fd, bytes, position);
  return bytes;
}

function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, position + done);
  } catch (cause) {
    throw diskError(cause);
  }
}

function readAll(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length;) {
    const count = readSync(fd, bytes, done, bytes.length - done, position + done);
    if (count === 0) throw new RenderError('render_failed', 'A layer on disk ended early', 'Render again.');
    done += count;
  }
}

function diskError(cause: unknown): RenderError {
  const hint = 'Make room in the temporary folder (TMPDIR): a minute of a layer takes 21 MB.';
  return new RenderError('render_failed', 'The temporary folder cannot hold the layers of the mashup', hint, cause);
}

/**
 * Writes two channels of `region.frames` samples to their region.
 * @throws RenderError render_failed if the disk is full
 */
export function writeRegion(region: ScratchRegion, channels: readonly Float32Array[]): void {
  channels.forEach((samples, c) => {
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, region.frames * BYTES);
    writeAll(region.fd, bytes, region.position + c * region.frames * BYTES);
  });
}

/**
 * Reads samples `from..to` of both channels of a region; the range must lie inside it.
 * @throws RenderError render_failed if the file is shorter than the region
 */
export function readRegion(region: ScratchRegion, from: number, to: number): [Float32Array, Float32Array] {
  const read = (c: 0 | 1): Float32Array => {
    const samples = new Float32Array(Math.max(0, to - from));
    readAll(region.fd, new Uint8Array(samples.buffer), region.position + (c * region.frames + from) * BYTES);
    return samples;
  };
  return [read(0), read(1)];
}

/**
 * Sound that waits between two steps of a render, on disk: a five-layer mashup of four minutes would be 400 MB. The file has no
 * name from the start, so that nothing is left of it however the process ends. Threads of a process share its descriptors.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RenderError } from '../errors.ts';

const BYTES = Float32Array.BYTES_PER_ELEMENT;

/** Two channels of `frames` samples at byte `position` of the file, one after the other. */
export type Spot = { fd: number; position: number; frames: number };

export type Scratch = {
  /** Takes room for two channels. */
  reserve: (frames: number) => Spot;
  close: () => void;
};

/** @throws RenderError render_failed where the temporary folder takes no files */
export function openScratch(): Scratch {
  let fd: number;
  try {
    const folder = mkdtempSync(join(tmpdir(), 'mashup-'));
    try {
      fd = openSync(join(folder, 'runs'), 'w+');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  } catch (cause) {
    throw diskFault(cause);
  }
  let end = 0;
  return {
    reserve: (frames) => {
      const spot = { fd, position: end, frames };
      end += 2 * frames * BYTES;
      return spot;
    },
    close: () => closeSync(fd),
  };
}

function diskFault(cause: unknown): RenderError {
  const hint = 'Make room in the temporary folder (TMPDIR): a minute of a layer takes 21 MB.';
  return new RenderError('render_failed', 'The temporary folder cannot hold the layers of the mashup', hint, cause);
}

/**
 * Writes two channels to their spot.
 * @throws RenderError render_failed where the disk is full
 */
export function writeSpot(spot: Spot, channels: readonly Float32Array[]): void {
  channels.forEach((samples, c) => {
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, spot.frames * BYTES);
    const start = spot.position + c * spot.frames * BYTES;
    try {
      for (let done = 0; done < bytes.length;)
        done += writeSync(spot.fd, bytes, done, bytes.length - done, start + done);
    } catch (cause) {
      throw diskFault(cause);
    }
  });
}

/** Samples `from..to` of both channels of a spot; the range must lie inside. */
export function readSpot(spot: Spot, from: number, to: number): [Float32Array, Float32Array] {
  const read = (c: 0 | 1): Float32Array => {
    const samples = new Float32Array(Math.max(0, to - from));
    const bytes = new Uint8Array(samples.buffer);
    const start = spot.position + (c * spot.frames + from) * BYTES;
    for (let done = 0; done < bytes.length;) {
      const count = readSync(spot.fd, bytes, done, bytes.length - done, start + done);
      if (count === 0) throw new RenderError('render_failed', 'A layer on disk ended early', 'Render again.');
      done += count;
    }
    return samples;
  };
  return [read(0), read(1)];
}

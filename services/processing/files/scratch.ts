/**
 * A temporary file for the samples of runs between two steps of a render. In memory, a four-minute mashup with five layers would
 * take 400 MB. The file is unlinked as soon as it is open, so nothing remains however the process ends. The threads of a process
 * share its file descriptors.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RenderError } from '../errors.ts';

const BYTES = Float32Array.BYTES_PER_ELEMENT;

/** Room for two channels of `frames` samples each, one after the other, from byte `position` of the file on. */
export type ScratchRegion = { fd: number; position: number; frames: number };

export type Scratch = {
  /** Reserves room for two channels of `frames` samples. */
  reserve: (frames: number) => ScratchRegion;
  close: () => void;
};

/**
 * Opens a new scratch file.
 * @throws RenderError render_failed if the temporary folder is not writable
 */
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
    throw diskError(cause);
  }
  let end = 0;
  return {
    reserve: (frames) => {
      const region = { fd, position: end, frames };
      end += 2 * frames * BYTES;
      return region;
    },
    close: () => closeSync(fd),
  };
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
    const start = region.position + c * region.frames * BYTES;
    try {
      for (let done = 0; done < bytes.length;)
        done += writeSync(region.fd, bytes, done, bytes.length - done, start + done);
    } catch (cause) {
      throw diskError(cause);
    }
  });
}

/**
 * Reads samples `from..to` of both channels of a region; the range must lie inside it.
 * @throws RenderError render_failed if the file is shorter than the region
 */
export function readRegion(region: ScratchRegion, from: number, to: number): [Float32Array, Float32Array] {
  const read = (c: 0 | 1): Float32Array => {
    const samples = new Float32Array(Math.max(0, to - from));
    const bytes = new Uint8Array(samples.buffer);
    const start = region.position + (c * region.frames + from) * BYTES;
    for (let done = 0; done < bytes.length;) {
      const count = readSync(region.fd, bytes, done, bytes.length - done, start + done);
      if (count === 0) throw new RenderError('render_failed', 'A layer on disk ended early', 'Render again.');
      done += count;
    }
    return samples;
  };
  return [read(0), read(1)];
}

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { RESAMPLE_BUILD, RESAMPLE_WASM } from '../../audio/time/kernel/resample-wasm.ts';
import { STRETCH_BUILD, STRETCH_WASM } from '../../audio/time/kernel/stretch-wasm.ts';
import { SEPARATION_BUILD, SEPARATION_WASM } from '../../services/separation/kernel/separation-wasm.ts';
import { SeparationKernel } from '../../services/separation/separation-kernel.ts';
import { noise } from './signals.ts';

const ROOT = join(import.meta.dirname, '../..');
const MODULES = [
  { folder: 'audio/time/kernel', build: STRETCH_BUILD, wasm: STRETCH_WASM },
  { folder: 'audio/time/kernel', build: RESAMPLE_BUILD, wasm: RESAMPLE_WASM },
  { folder: 'services/separation/kernel', build: SEPARATION_BUILD, wasm: SEPARATION_WASM },
];

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[(values.length - 1) >> 1]!;
const clamp = (value: number, last: number): number => Math.min(last, Math.max(0, value));
const around = (centre: number): number[] => Array.from({ length: 17 }, (_, i) => centre - 8 + i);

/** A kernel with a plane of noise. The number of columns is no multiple of four. */
async function noisyKernel(rows: number, columns: number): Promise<{ kernel: SeparationKernel; plane: Float32Array }> {
  const kernel = await SeparationKernel.create({ planes: 2, rows, columns, bands: 4 });
  const plane = kernel.plane(0);
  plane.set(noise(rows * columns, 1, 1, 5).map(Math.abs));
  return { kernel, plane };
}

describe('kernels', () => {
  it('are the modules that were built from the sources beside them', async () => {
    for (const { folder, build, wasm } of MODULES) {
      assert.equal(sha256(wasm), build.wasm);
      for (const [name, hash] of Object.entries(build.sources)) {
        const source = await readFile(join(ROOT, folder, name));
        assert.equal(sha256(source), hash, `${name} changed: run npm run kernel:build`);
      }
    }
  });

  for (const [rows, columns] of [
    [40, 37],
    [3, 6],
    [1, 4],
  ] as const) {
    it(`compute medians of 17 values over time and over frequency, of ${rows} by ${columns}`, async () => {
      const { kernel, plane } = await noisyKernel(rows, columns);
      const output = kernel.plane(1);
      const valueAt = (row: number, column: number): number => plane[row * columns + column]!;
      kernel.medianOverTime(plane, output, rows);
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const window = around(row).map((at) => valueAt(clamp(at, rows - 1), column));
          assert.equal(output[row * columns + column], median(window), `row ${row}, column ${column}`);
        }
      }
      kernel.medianOverFrequency(plane.subarray(0, columns), output.subarray(0, columns));
      for (let column = 0; column < columns; column++) {
        const window = around(column).map((at) => valueAt(0, clamp(at, columns - 1)));
        assert.equal(output[column], median(window), `column ${column}`);
      }
    });
  }

  it('compute the median over the frame and the eight most similar ones that are far enough apart, at most the value', async () => {
    for (const frames of [60, 12]) {
      const columns = 7;
      const { kernel, plane } = await noisyKernel(frames, columns);
      const bands = noise(frames * 4, 1, 1, 9).map(Math.abs);
      for (let frame = 0; frame < frames; frame++) {
        const row = bands.subarray(4 * frame, 4 * frame + 4);
        const norm = Math.hypot(...row);
        for (let k = 0; k < 4; k++) row[k]! /= norm;
      }
      kernel.background(plane, kernel.plane(1), { bands, frames, columns, gap: 2 });
      const similarity = (a: number, b: number): number =>
        [0, 1, 2, 3].reduce((sum, k) => sum + bands[4 * a + k]! * bands[4 * b + k]!, 0);
      for (let frame = 0; frame < frames; frame++) {
        const chosen = [frame];
        const ranked = Array.from({ length: frames }, (_, other) => other).sort(
          (a, b) => similarity(frame, b) - similarity(frame, a),
        );
        for (const other of ranked) {
          if (chosen.length < 9 && chosen.every((each) => Math.abs(each - other) > 2)) chosen.push(other);
        }
        for (let column = 0; column < columns; column++) {
          const own = plane[frame * columns + column]!;
          const middle = median(chosen.map((each) => plane[each * columns + column]!));
          assert.equal(kernel.plane(1)[frame * columns + column], Math.min(own, middle), `frame ${frame} of ${frames}`);
        }
      }
    }
  });
});

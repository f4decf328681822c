import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Stem } from '../../schema.ts';
import { openScratch, writeRegion } from '../../services/processing/files/scratch.ts';
import { renderSection, type SectionResult } from '../../services/processing/sound/section.ts';
import { noise, sine } from './signals.ts';

const RATE = 44_100;
const BPM = 120;
/** Length of each of the two sections. */
const SECTION_SEC = 4;
/** The runs begin this long before their sections. */
const HEAD_SEC = 0.5;

/** Two sections, each with one layer of its own song, mixed. */
async function joined(stem: Stem, first: Float32Array, second: Float32Array): Promise<Float32Array> {
  const scratch = openScratch();
  try {
    const mix = new Float32Array((2 * SECTION_SEC + 4) * RATE);
    for (const [i, sound] of [first, second].entries()) {
      const start = i * SECTION_SEC;
      const region = scratch.reserve(sound.length);
      writeRegion(region, [sound, sound]);
      const result: SectionResult = await renderSection({
        start,
        end: start + SECTION_SEC,
        bpm: BPM,
        beatsPerBar: 4,
        tunedTo: 0,
        first: i === 0,
        last: i === 1,
        slices: [
          {
            songId: `song ${i}`,
            stem,
            volumeDb: 0,
            effects: [],
            joinsPrevious: false,
            joinsNext: false,
            parts: [{ region, origin: start - HEAD_SEC, start, end: start + SECTION_SEC }],
            presence: undefined,
          },
        ],
      });
      result.channels[0].forEach((value, k) => (mix[result.offset + k] = (mix[result.offset + k] ?? 0) + value));
    }
    return mix;
  } finally {
    scratch.close();
  }
}

const LENGTH = SECTION_SEC + 2 * HEAD_SEC;

function levelDb(samples: Float32Array, fromSec: number, toSec: number): number {
  const part = samples.subarray(Math.round(fromSec * RATE), Math.round(toSec * RATE));
  return 10 * Math.log10(part.reduce((sum, x) => sum + x * x, 0) / part.length);
}

describe('where two sections meet', () => {
  it('fades one song into the other at equal power over the beat before the boundary', async () => {
    const mix = await joined('other', noise(LENGTH, RATE, 0.2, 1), noise(LENGTH, RATE, 0.2, 2));
    const steady = levelDb(mix, 1, 3);
    const beat = 60 / BPM;
    for (let at = SECTION_SEC - beat; at < SECTION_SEC + beat; at += beat / 5) {
      const level = levelDb(mix, at, at + beat / 5);
      assert.ok(Math.abs(level - steady) < 0.7, `${(level - steady).toFixed(2)} dB at ${at.toFixed(2)} s`);
    }
  });

  it('plays no part of a drum hit just before the boundary', async () => {
    // A hit that begins 3 ms before its beat, as real ones do.
    const early = new Float32Array(LENGTH * RATE);
    early.set(noise(0.05, RATE, 0.5, 4), Math.round((HEAD_SEC + SECTION_SEC - 0.003) * RATE));
    const mix = await joined('drums', early, new Float32Array(LENGTH * RATE));
    assert.ok(mix.every((value) => Math.abs(value) < 1e-6));
  });

  it('plays the second section at full level from its first sample on', async () => {
    const tone = sine(220, LENGTH, RATE, 0.3);
    const mix = await joined('drums', new Float32Array(LENGTH * RATE), tone);
    const at = SECTION_SEC * RATE;
    for (let i = 0; i < 500; i++) assert.ok(Math.abs(mix[at + i]! - tone[Math.round(HEAD_SEC * RATE) + i]!) < 1e-6);
  });
});

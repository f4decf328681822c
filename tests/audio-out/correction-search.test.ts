import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Correction, correct } from '../../services/processing/corrections/shift-changes.ts';
import { check, type CheckName } from '../../services/processing/quality/checks.ts';
import type { RenderSong } from '../../services/processing/song/song.ts';
import { improve, type Take } from '../../services/processing/corrections/correction-search.ts';
import type { Tuning } from '../../services/processing/plan/tuning.ts';

const plan: Take['plan'] = { bpm: 120, key: 'N/A', beatsPerBar: 4, durationSec: 8, sections: [] };

/** A tuning that is told from others by the shift of one song. */
const tuned = (shift: number): Tuning => ({ semitones: new Map([['a', shift]]), beats: new Map(), starts: new Map() });
const shiftOf = ({ tuning }: Take): number => tuning.semitones.get('a')!;
const to = (shift: number): Correction => ({ tuning: tuned(shift), words: [`to ${shift}`] });

/** Improves takes whose checks are known by their shift; also says which were recorded. */
async function improveAmong(
  heard: Record<number, Partial<Record<CheckName, number>>>,
  ways: ((shift: number) => Correction | undefined)[],
): Promise<{ shift: number; corrections: string[]; recorded: number[] }> {
  const recorded: number[] = [];
  const record = (tuning: Tuning): Take => {
    const shift = tuning.semitones.get('a')!;
    recorded.push(shift);
    const checks = Object.entries(heard[shift]!).map(([name, value]) => check(name as CheckName, value));
    return { plan, tuning, checks };
  };
  const { take, corrections } = await improve(
    record(tuned(0)),
    ways.map((way) => (take: Take) => way(shiftOf(take))),
    (_, tuning) => Promise.resolve(record(tuning)),
  );
  return { shift: shiftOf(take), corrections, recorded };
}

describe('takes', () => {
  it('keeps a sound first take', async () => {
    const { recorded, corrections } = await improveAmong({ 0: { harmony: 0.7 } }, [() => to(1)]);
    assert.deepEqual([recorded, corrections], [[0], []]);
  });

  it('corrects what a correction broke in the way that was passed over before', async () => {
    const heard = { 0: { harmony: 0.2 }, 1: { harmony: 0.8, metre_advantage: 0.13 }, 2: { harmony: 0.8 } };
    const metre = (shift: number): Correction | undefined => (shift === 1 ? to(2) : undefined);
    const phrase = (shift: number): Correction | undefined => (shift === 0 ? to(1) : undefined);
    const { shift, corrections } = await improveAmong(heard, [metre, phrase]);
    assert.deepEqual([shift, corrections], [2, ['to 1', 'to 2']]);
  });

  it('drops a take in which as much fails, but further, and goes on with the next way', async () => {
    const heard = { 0: { harmony: 0.4 }, 1: { harmony: -0.1 }, 2: { harmony: 0.7 } };
    const { shift, corrections, recorded } = await improveAmong(heard, [() => to(1), () => to(2)]);
    assert.deepEqual([shift, corrections, recorded], [2, ['to 2'], [0, 1, 2]]);
  });

  it('tries each way twice, and the last one whatever the first ones took', async () => {
    const heard = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [i, { harmony: i / 100 }]));
    const { recorded } = await improveAmong({ ...heard, 20: { harmony: 0.7 } }, [
      (shift) => to(shift + 1),
      () => to(20),
    ]);
    assert.deepEqual(recorded, [0, 1, 2, 20]);
  });
});

describe('another shift', () => {
  const song = (name: string): RenderSong => ({ name }) as RenderSong;
  const songs = new Map([
    ['a', song('a')],
    ['b', song('b')],
  ]);
  const tuning: Tuning = { ...tuned(0), semitones: new Map([...songs.keys()].map((id) => [id, 0])) };
  /** Fits where a voice is raised by one of these. */
  const fitting = (...raises: number[]): number[] =>
    Array.from({ length: 12 }, (_, raise) => (raises.includes(raise) ? 0.9 - raise / 100 : 0.1));
  const moved = (a: number[], b: number[]): number | undefined => {
    const harmony = new Map(Object.entries({ a, b }));
    const found = correct(tuning, { lateMs: new Map(), phase: new Map(), harmony }, songs);
    return found && found.tuning.semitones.get('a')! - found.tuning.semitones.get('b')!;
  };

  it('is one that both voices bear: what raises one over the other lowers that over the first', () => {
    assert.equal(moved(fitting(1, 3), fitting(12 - 3)), 3);
  });

  it('is none where one voice would gain what the other loses', () => {
    assert.equal(moved(fitting(1), fitting(0)), undefined);
  });
});

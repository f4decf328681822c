import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Correction } from '../../services/processing/corrections/correction.ts';
import { changeShifts } from '../../services/processing/corrections/shift-changes.ts';
import { check, type CheckName } from '../../services/processing/quality/checks.ts';
import type { RenderSong } from '../../services/processing/song/song.ts';
import { searchCorrections, type Candidate } from '../../services/processing/corrections/correction-search.ts';
import type { Tuning } from '../../services/processing/plan/tuning.ts';

const plan: Candidate['plan'] = { bpm: 120, key: 'N/A', shifts: {}, beatsPerBar: 4, durationSec: 8, sections: [] };

/** A tuning that differs from others by the shift of one song. */
const tuned = (shift: number): Tuning => ({
  semitones: new Map([['a', shift]]),
  cents: new Map(),
  tunedTo: 0,
  beats: new Map(),
  starts: new Map(),
});
const shiftOf = ({ tuning }: Candidate): number => tuning.semitones.get('a')!;
const to = (shift: number): Correction => ({ tuning: tuned(shift), messages: [`to ${shift}`] });

/** Searches among candidates whose checks are given by their shift. Also returns the shifts that were rendered, in order. */
async function searchAmong(
  values: Record<number, Partial<Record<CheckName, number>>>,
  strategies: ((shift: number) => Correction | undefined)[],
): Promise<{ shift: number; corrections: string[]; rendered: number[] }> {
  const rendered: number[] = [];
  const render = (tuning: Tuning): Candidate => {
    const shift = tuning.semitones.get('a')!;
    rendered.push(shift);
    const checks = Object.entries(values[shift]!).map(([name, value]) => check(name as CheckName, value));
    return { plan, tuning, checks };
  };
  const { candidate, corrections } = await searchCorrections(
    render(tuned(0)),
    strategies.map((strategy) => (current: Candidate) => strategy(shiftOf(current))),
    (_, tuning) => Promise.resolve(render(tuning)),
  );
  return { shift: shiftOf(candidate), corrections, rendered };
}

describe('the correction search', () => {
  it('keeps a first candidate that passes', async () => {
    const { rendered, corrections } = await searchAmong({ 0: { harmony: 0.7 } }, [() => to(1)]);
    assert.deepEqual([rendered, corrections], [[0], []]);
  });

  it('corrects a failure that a correction caused with a strategy that had nothing to propose before', async () => {
    const values = { 0: { harmony: 0.2 }, 1: { harmony: 0.8, metre_advantage: 0.13 }, 2: { harmony: 0.8 } };
    const metre = (shift: number): Correction | undefined => (shift === 1 ? to(2) : undefined);
    const phrase = (shift: number): Correction | undefined => (shift === 0 ? to(1) : undefined);
    const { shift, corrections } = await searchAmong(values, [metre, phrase]);
    assert.deepEqual([shift, corrections], [2, ['to 1', 'to 2']]);
  });

  it('drops a candidate with as many failures but a larger violation, and tries the next strategy', async () => {
    const values = { 0: { harmony: 0.4 }, 1: { harmony: -0.1 }, 2: { harmony: 0.7 } };
    const { shift, corrections, rendered } = await searchAmong(values, [() => to(1), () => to(2)]);
    assert.deepEqual([shift, corrections, rendered], [2, ['to 2'], [0, 1, 2]]);
  });

  it('tries each strategy twice, and the last one also after the others are used up', async () => {
    const values = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [i, { harmony: i / 100 }]));
    const { rendered } = await searchAmong({ ...values, 20: { harmony: 0.7 } }, [
      (shift) => to(shift + 1),
      () => to(20),
    ]);
    assert.deepEqual(rendered, [0, 1, 2, 20]);
  });
});

describe('changing shifts', () => {
  const song = (name: string): RenderSong => ({ name }) as RenderSong;
  const songs = new Map([
    ['a', song('a')],
    ['b', song('b')],
  ]);
  const tuning: Tuning = { ...tuned(0), semitones: new Map([...songs.keys()].map((id) => [id, 0])) };
  /** Correlations of a voice that fits if it is raised by one of these. */
  const fitting = (...raises: number[]): number[] =>
    Array.from({ length: 12 }, (_, raise) => (raises.includes(raise) ? 0.9 - raise / 100 : 0.1));
  const moved = (a: number[], b: number[]): number | undefined => {
    const harmony = new Map(Object.entries({ a, b }));
    const inTune = { bySong: new Map(), apartCents: null };
    const found = changeShifts(tuning, { lateMs: new Map(), beatOffset: new Map(), harmony, tuning: inTune }, songs);
    return found && found.tuning.semitones.get('a')! - found.tuning.semitones.get('b')!;
  };

  it('chooses a shift that fits both voices: raising one voice lowers the other against the first song', () => {
    assert.equal(moved(fitting(1, 3), fitting(12 - 3)), 3);
  });

  it('says whether a song plays earlier or later, and by how many beats', () => {
    const told = (offset: number): string[] | undefined => {
      const inTune = { bySong: new Map(), apartCents: null };
      const beatOffset = new Map([['b', offset]]);
      return changeShifts(tuning, { lateMs: new Map(), beatOffset, harmony: new Map(), tuning: inTune }, songs)
        ?.messages;
    };
    assert.deepEqual(told(1), ['"b" was moved 1 beat earlier to fit the metre.']);
    assert.deepEqual(told(-2), ['"b" was moved 2 beats later to fit the metre.']);
    assert.deepEqual(told(-0.5), ['"b" was moved half a beat later to fit the metre.']);
  });

  it('changes nothing if one voice would gain what the other loses', () => {
    assert.equal(moved(fitting(1), fitting(0)), undefined);
  });
});

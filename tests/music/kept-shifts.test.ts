import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { checkPlan } from '../../music/plan/checks.ts';
import { shiftsInKey, withShiftsOf } from '../../music/plan/key-shifts.ts';
import { DEFAULT_PLAN_LIMITS } from '../../music/plan/limits.ts';
import { producePlan } from '../../music/producer/producer.ts';
import { scorePair } from '../../music/scoring/scoring.ts';
import { parseKey } from '../../music/theory/keys.ts';
import type { Plan } from '../../schema.ts';
import { makeSong } from './arbitraries.ts';

const songs = [makeSong('a', { vocals: 0.8 }), makeSong('b', { vocals: 0.05, bpm: 124 })];
const plan = producePlan({
  songs,
  scores: [scorePair(songs[0]!, songs[1]!)],
  limits: DEFAULT_PLAN_LIMITS,
  seed: 2,
});
const withShifts = (shifts: Record<string, number>, targetKey = plan.masterplan.global.targetKey): Plan => ({
  ...plan,
  masterplan: { ...plan.masterplan, global: { ...plan.masterplan.global, targetKey, shifts } },
});

test('shifts move with the key, by an octave less where a song would be shifted too far', () => {
  const [from, to] = [parseKey('F# major'), parseKey('G major')!];
  assert.deepEqual(shiftsInKey({ a: 3, b: -1 }, from, to), { a: 4, b: 0 });
  assert.deepEqual(shiftsInKey({ a: 6, b: -1 }, from, to), { a: -5, b: 0 });
  assert.equal(shiftsInKey(undefined, from, to), undefined);
});

test('a plan of another planner takes the shifts of the version before, in the same key only', () => {
  const earlier = withShifts({ a: 3, b: -1 });
  assert.deepEqual(withShiftsOf(plan, earlier).masterplan.global.shifts, { a: 3, b: -1 });
  assert.equal(withShiftsOf(plan, withShifts({ a: 3 }, 'B minor')).masterplan.global.shifts, undefined);
  assert.equal(withShiftsOf(plan, undefined), plan);
  assert.deepEqual(withShiftsOf(withShifts({ a: 1 }), earlier).masterplan.global.shifts, { a: 1 });
});

test('the checks keep shifts of the songs of a plan, and leave out what is none', () => {
  const raw = withShifts({ a: 2, b: 0.5, c: 1, ['__proto__']: 3 });
  assert.deepEqual(checkPlan(raw, songs, DEFAULT_PLAN_LIMITS).plan?.masterplan.global.shifts, { a: 2 });
  assert.equal(checkPlan(withShifts({ a: 13 }), songs, DEFAULT_PLAN_LIMITS).plan?.masterplan.global.shifts, undefined);
});

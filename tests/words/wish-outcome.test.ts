import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { DEFAULT_PLAN_LIMITS } from '../../music/plan/limits.ts';
import { planWithWishes } from '../../music/producer/plan-with-wishes.ts';
import { mainSong } from '../../music/revision/plan-edits.ts';
import { producePlan } from '../../music/producer/producer.ts';
import { refuseUnchanged, wishOutcome } from '../../worker/tasks/wish-outcome.ts';
import { makeSong } from '../music/arbitraries.ts';

const songs = [makeSong('a', { vocals: 0.8 }), makeSong('b', { vocals: 0.1, bpm: 124 })];
const base = { songs, scores: [], limits: DEFAULT_PLAN_LIMITS, seed: 2, faults: [] };
const previous = producePlan(base);

test('a change that a planner claims is checked against the plan that came back', () => {
  const brief = { ...base, previous, feedback: 'more bass and 118 bpm' };
  const outcome = (plan: typeof previous) => wishOutcome(brief, plan, { source: 'claude', notUnderstood: [] });
  assert.deepEqual(outcome(previous)?.cannot, ['Not in this plan: more bass.', 'Not in this plan: 118 bpm.']);
  assert.deepEqual(outcome(planWithWishes(brief).plan)?.cannot, []);
});

test('without a text there is no outcome', () => {
  assert.equal(wishOutcome(base, previous, { source: 'rules' }), undefined);
});

test('roles that a user chose are followed by a first plan, and said where the songs do not allow them', () => {
  const outcome = (brief: typeof base & { roles: object }) =>
    wishOutcome(brief, planWithWishes(brief).plan, { source: 'claude', notUnderstood: [] });
  const usual = mainSong(previous, 'vocals');
  for (const [sings, plays] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    const both = [makeSong('a', { vocals: 0.8 }), makeSong('b', { vocals: 0.7, bpm: 124 })];
    const brief = { ...base, songs: both, roles: { sings, plays } };
    const { plan } = planWithWishes(brief);
    assert.deepEqual([mainSong(plan, 'vocals'), mainSong(plan, 'drums')], [sings, plays]);
    assert.deepEqual(outcome(brief)?.cannot, []);
  }
  assert.equal(usual, 'a');
  assert.deepEqual(outcome({ ...base, roles: { sings: 'b' } })?.cannot, ['Not in this plan: vocals from "Song b".']);
  const { cannot } = planWithWishes({ ...base, roles: { sings: 'b' } });
  assert.deepEqual(cannot, ['Not possible: vocals from "Song b". Nobody sings in "Song b".']);
});

test('a text of which nothing is understood is refused, with what can be asked', () => {
  const refused = { name: 'TaskError', code: 'wish_not_understood', faultClass: 'permanent' };
  const brief = { ...base, previous, feedback: 'paint it blue' };
  assert.throws(() => wishOutcome(brief, previous, { source: 'rules' }), refused);
  assert.throws(() => wishOutcome(brief, previous, { source: 'claude', notUnderstood: ['paint it blue'] }), {
    ...refused,
    message: 'Not understood: "paint it blue".',
  });
});

test('feedback that contradicts itself is refused, and its other wishes are done', () => {
  const brief = { ...base, previous, feedback: 'more bass but less bass' };
  assert.throws(() => wishOutcome(brief, previous, { source: 'rules' }), {
    code: 'wish_not_understood',
    message: 'These wishes contradict each other. Contradictory: "more bass but less bass".',
    hint: 'Ask for one of them.',
  });
  const partly = { ...brief, feedback: 'faster, and more bass but less bass' };
  const outcome = wishOutcome(partly, planWithWishes(partly).plan, { source: 'rules' });
  assert.deepEqual(
    [outcome?.understood, outcome?.not_understood, outcome?.contradictory, outcome?.cannot],
    [
      [{ kind: 'tempo', change: 'faster' }],
      [],
      ['more bass but less bass'],
      ['Not possible: "more bass but less bass". These wishes contradict each other.'],
    ],
  );
});

test('feedback that would change nothing is refused before its plan is rendered, with the reason', () => {
  const refused = (feedback: string, message: RegExp): void => {
    const brief = { ...base, previous, feedback };
    const { plan, cannot } = planWithWishes(brief);
    const outcome = wishOutcome(brief, plan, { source: 'rules', cannot });
    assert.throws(
      () => refuseUnchanged(brief, { plan, source: 'rules' }, outcome),
      { name: 'TaskError', code: 'wish_changes_nothing', faultClass: 'permanent', message },
      feedback,
    );
  };
  const { targetBPM } = previous.masterplan.global;
  refused(`at ${targetBPM} bpm`, /^Nothing would change\. The mashup is like this already: \d+(\.\d)? bpm\.$/);
  refused('vocals from "Song b"', /^Nothing would change\. Not possible: vocals from "Song b"\. Nobody sings/);
  for (const feedback of ['faster', 'more bass']) {
    const brief = { ...base, previous, feedback };
    const { plan } = planWithWishes(brief);
    refuseUnchanged(brief, { plan, source: 'rules' }, wishOutcome(brief, plan, { source: 'rules' }));
  }
  refuseUnchanged({ ...base, wishes: 'faster' }, { plan: previous, source: 'rules' }, undefined);
});

test('a model may understand what the rules do not', () => {
  const brief = { ...base, wishes: 'paint it blue, with rain' };
  const outcome = wishOutcome(brief, previous, { source: 'claude', notUnderstood: ['with rain'] });
  assert.deepEqual(outcome, {
    understood: [],
    not_understood: ['with rain'],
    by_planner: ['paint it blue'],
    cannot: [],
    not_done: [],
  });
  assert.deepEqual(wishOutcome(brief, previous, { source: 'claude', notUnderstood: [] })?.by_planner, [
    'paint it blue',
    'with rain',
  ]);
  assert.equal(
    wishOutcome({ ...brief, wishes: 'faster, paint it blue' }, previous, { source: 'rules' })?.by_planner,
    undefined,
  );
});

test('hostile quotes of a planner are cleaned and bounded', () => {
  const quotes = Array.from({ length: 50 }, () => `\u001b[31m${'x'.repeat(1_000)}\u202e`);
  const outcome = wishOutcome({ ...base, wishes: 'faster' }, previous, { source: 'claude', notUnderstood: quotes });
  assert.equal(outcome?.not_understood.length, 10);
  assert.ok(outcome.not_understood.every((quote) => quote.length <= 200 && !/[\u001b\u202e]/.test(quote)));
});

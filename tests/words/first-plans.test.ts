import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { planWithWishes } from '../../music/producer/plan-with-wishes.ts';
import { producePlan } from '../../music/producer/producer.ts';
import { checkPlan } from '../../music/plan/checks.ts';
import { DEFAULT_PLAN_LIMITS } from '../../music/plan/limits.ts';
import type { Revision } from '../../music/revision/revise.ts';
import { wishHolds } from '../../music/revision/wish-holds.ts';
import type { Plan } from '../../schema.ts';
import { makeSong } from '../music/arbitraries.ts';

const songs = [
  makeSong('a', { vocals: 0.8, name: 'Night Drive', artist: 'Rita Moon' }),
  makeSong('b', { vocals: 0.5, bpm: 124, name: 'Windowlicker', artist: 'Aphex Twin' }),
];
const request = { songs, scores: [], limits: DEFAULT_PLAN_LIMITS, seed: 2 };
const plain = producePlan(request);
const first = (wishes: string): Revision => planWithWishes({ ...request, wishes });
const songsOf = (plan: Plan, stem: string): string[] => [
  ...new Set(
    plan.masterplan.timeline.flatMap(({ layers }) =>
      layers.filter((layer) => layer.stem === stem).map((l) => l.songId),
    ),
  ),
];

test('a first plan follows its wishes, and says so', () => {
  for (const [singer, player] of [
    ['Rita Moon', 'Windowlicker'],
    ['Windowlicker', 'Night Drive'],
  ]) {
    const { plan, changes, cannot } = first(`${singer} sings over the ${player} beat`);
    assert.deepEqual(cannot, []);
    assert.equal(changes.length, 2);
    assert.deepEqual(songsOf(plan, 'drums'), [player === 'Windowlicker' ? 'b' : 'a']);
    assert.ok(songsOf(plan, 'vocals').includes(singer === 'Windowlicker' ? 'b' : 'a'));
  }
});

test('every wish of a first plan that is reported as done is in the plan', () => {
  const texts = [
    'a quiet start',
    'start with vocals only',
    'end with drums',
    'let it fade out',
    'start without drums',
    'a loud ending',
    'a later drop',
    'an earlier drop',
    'longer',
    'much shorter',
    '2:00 long',
    'a bit faster',
    '118 bpm',
    'a semitone higher',
    'in B minor',
    'more bass',
    'less Windowlicker',
    'no drums',
    'make it instrumental',
    'no effects',
    'more echo on the vocals',
    'less reverb',
    'no reverb',
    'add a riser',
    'smoother transitions',
    'harder transitions',
    'more sections',
    'fewer sections',
    '6 sections',
    'more energy',
    'calmer',
  ];
  let done = 0;
  for (const text of texts) {
    const { plan, understood, changes, cannot } = first(text);
    assert.equal(understood.length, 1, text);
    assert.equal(changes.length + cannot.length, 1, text);
    assert.deepEqual(checkPlan(plan, songs, DEFAULT_PLAN_LIMITS).faults, [], text);
    if (changes.length === 0) continue;
    done += 1;
    assert.ok(wishHolds(understood[0]!, plan, plain), `${text}: ${changes.join(' ')}`);
  }
  assert.ok(done >= texts.length - 3, `${done} of ${texts.length} were done`);
});

test('what was not understood of the wishes is quoted, the rest is done', () => {
  const { understood, not_understood, changes } = first('add a saxophone and 118 bpm');
  assert.deepEqual(understood, [{ kind: 'tempo_exact', bpm: 118 }]);
  assert.deepEqual(not_understood, ['add a saxophone']);
  assert.equal(changes.length, 1);
});

test('a wish that the songs do not allow is reported with the reason, and the plan stays as it was', () => {
  const silent = [songs[0]!, makeSong('b', { vocals: 0, bpm: 124, name: 'Windowlicker' })];
  const { plan, cannot } = planWithWishes({ ...request, songs: silent, wishes: 'Windowlicker should sing' });
  assert.match(cannot.join(), /Not possible: vocals from "Windowlicker"\. Nobody sings in "Windowlicker"\./);
  assert.deepEqual(plan.masterplan.timeline, producePlan({ ...request, songs: silent }).masterplan.timeline);
});

test('the same again is another arrangement of the same songs', () => {
  const { plan, changes } = planWithWishes({ ...request, previous: plain, feedback: 'same again but different' });
  assert.deepEqual(changes, ['The arrangement is new.']);
  assert.notDeepEqual(plan.masterplan.timeline, plain.masterplan.timeline);
});

test('two songs that are swapped change their roles', () => {
  const { plan, changes } = planWithWishes({ ...request, previous: plain, feedback: 'swap the songs' });
  assert.match(changes.join(), /have changed their roles/);
  assert.notDeepEqual(songsOf(plan, 'drums'), songsOf(plain, 'drums'));
});

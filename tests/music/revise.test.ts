import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkPlan } from '../../music/plan/checks.ts';
import { DEFAULT_PLAN_LIMITS } from '../../music/plan/limits.ts';
import { producePlan } from '../../music/producer/producer.ts';
import { revisePlan, type Revision } from '../../music/revision/revise.ts';
import { scorePair } from '../../music/scoring/scoring.ts';
import type { Plan, Stem } from '../../schema.ts';
import { makeSong, songs } from './arbitraries.ts';

const list = [
  makeSong('a', { vocals: 0.8, name: 'Night Drive' }),
  makeSong('b', { vocals: 0.05, bpm: 124, artist: 'Glass Harbour' }),
];
const plan = producePlan({
  songs: list,
  scores: [scorePair(list[0]!, list[1]!)],
  limits: DEFAULT_PLAN_LIMITS,
  seed: 2,
});
const revise = (feedback: string): Revision => revisePlan({ plan, feedback, songs: list, limits: DEFAULT_PLAN_LIMITS });
const lengthOf = ({ masterplan }: Plan): number =>
  masterplan.timeline.reduce((sum, section) => sum + section.duration_sec, 0);
const levels = ({ masterplan }: Plan, stem: Stem): number =>
  masterplan.timeline
    .flatMap(({ layers }) => layers)
    .filter((layer) => layer.stem === stem)
    .reduce((sum, layer) => sum + 40 + layer.volume_db, 0);

/** Differences in energy between consecutive sections. */
const steps = ({ masterplan }: Plan): number[] =>
  masterplan.timeline
    .slice(1)
    .map((section, index) => Math.abs(section.energy_level - (masterplan.timeline[index]?.energy_level ?? 0)));

test('common wishes change the plan and are reported', () => {
  const cases: [string, (after: Plan) => boolean][] = [
    [
      'more energy please!',
      (after) =>
        Math.max(...after.masterplan.timeline.slice(1, -1).map((s) => s.energy_level)) >= 1 &&
        levels(after, 'drums') > levels(plan, 'drums'),
    ],
    ['I want MORE VOCALS', (after) => levels(after, 'vocals') > levels(plan, 'vocals')],
    [
      'a bit slower',
      (after) =>
        after.masterplan.global.targetBPM < plan.masterplan.global.targetBPM && lengthOf(after) > lengthOf(plan),
    ],
    ['faster', (after) => after.masterplan.global.targetBPM > plan.masterplan.global.targetBPM],
    [
      '4% faster',
      (after) => Math.abs(after.masterplan.global.targetBPM / plan.masterplan.global.targetBPM - 1.04) < 0.002,
    ],
    ['25 % longer', (after) => Math.abs(lengthOf(after) / lengthOf(plan) - 1.25) < 0.08],
    ['25 % shorter', (after) => Math.abs(lengthOf(after) / lengthOf(plan) - 0.75) < 0.08],
    ['126 bpm', (after) => after.masterplan.global.targetBPM === 126],
    ['make it longer', (after) => lengthOf(after) > lengthOf(plan) * 1.1],
    ['shorter', (after) => lengthOf(after) < lengthOf(plan)],
    ['more bass', (after) => levels(after, 'bass') > levels(plan, 'bass')],
    [
      'smoother transitions',
      (after) =>
        !JSON.stringify(after).includes('riser') &&
        levels(after, 'drums') < levels(plan, 'drums') &&
        Math.max(...steps(after)) < Math.max(...steps(plan)),
    ],
    [
      'less energy',
      (after) =>
        Math.max(...after.masterplan.timeline.map((s) => s.energy_level)) <
          Math.max(...plan.masterplan.timeline.map((s) => s.energy_level)) &&
        levels(after, 'drums') < levels(plan, 'drums'),
    ],
    ['less vocals', (after) => levels(after, 'vocals') < levels(plan, 'vocals')],
    ['quieter bass', (after) => levels(after, 'bass') < levels(plan, 'bass')],
    ['more drums', (after) => levels(after, 'drums') > levels(plan, 'drums')],
    ['75 seconds', (after) => Math.abs(lengthOf(after) - 75) < 10],
    ['instrumental', (after) => levels(after, 'vocals') === 0],
    [
      'without effects',
      (after) => after.masterplan.timeline.every(({ layers }) => layers.every(({ effects }) => effects.length === 0)),
    ],
    ['no reverb', (after) => !JSON.stringify(after.masterplan.timeline).includes('"reverb')],
    ['in C minor', (after) => after.masterplan.global.targetKey === 'C minor'],
    [
      "only Night Drive's drums",
      (after) =>
        after.masterplan.timeline.every(({ layers }) =>
          layers.every(({ stem, songId }) => stem !== 'drums' || songId === 'a'),
        ),
    ],
    [
      'only the drums of song 1',
      (after) =>
        after.masterplan.timeline.every(({ layers }) =>
          layers.every(({ stem, songId }) => stem !== 'drums' || songId === 'a'),
        ),
    ],
  ];
  for (const [feedback, holds] of cases) {
    const { plan: after, changes, cannot } = revise(feedback);
    assert.deepEqual(cannot, [], feedback);
    assert.equal(changes.length, 1, feedback);
    assert.ok(holds(after), feedback);
  }
});

test('the plan has the effects and drums that the wishes remove', () => {
  const before = JSON.stringify(plan.masterplan.timeline);
  for (const effect of ['riser', '"reverb', 'sidechain']) assert.ok(before.includes(effect), effect);
  const drummers = plan.masterplan.timeline.flatMap(({ layers }) => layers).filter(({ stem }) => stem === 'drums');
  assert.ok(drummers.some(({ songId }) => songId !== 'a'));
});

test('a change is described in a sentence', () => {
  assert.match(revise('more bass').changes.join(), /^The bass is 2\.5 dB louder, also in 1 section that had none\.$/);
  assert.match(revise('less vocals').changes.join(), /^The vocals are 2\.5 dB softer\.$/);
  assert.match(revise('no melody').changes.join(), /^The instruments are left out\.$/);
  assert.match(revise("only Night Drive's drums").changes.join(), /^The drums come from "Night Drive"\.$/);
});

test('everything else stays as it was', () => {
  const { plan: after } = revise('more bass');
  assert.equal(after.masterplan.title, plan.masterplan.title);
  assert.deepEqual(after.masterplan.global, plan.masterplan.global);
  assert.equal(levels(after, 'vocals'), levels(plan, 'vocals'));
});

test('wishes that cannot be applied are reported', () => {
  assert.deepEqual(revise('make it sound like the moon').not_understood, ['make it sound like the moon']);
  assert.deepEqual(revise("only Abba's drums").not_understood, ["only Abba's drums"]);
  assert.match(revise('300 bpm').cannot.join(), /no tempo/);
  assert.match(revise('half speed').cannot.join(), /^Not possible: 50 % slower\. .*would sound no slower\.$/);
  assert.equal(
    revise('20% slower').cannot.join(),
    'Not possible: 20 % slower. "Song b" would be stretched by 25 %, and over 12 % is heard by everyone.',
  );
  assert.match(revise('70 seconds and 80 bpm').cannot.join(), /stretched/);
});

test('a limit of the length shortens what is longer, and leaves what is not', () => {
  const { plan: shorter, changes } = revise('at most 1:15');
  assert.ok(lengthOf(plan) > 80 && lengthOf(shorter) <= 75.5 && lengthOf(shorter) > 60, String(lengthOf(shorter)));
  assert.match(changes.join(), /^The length went from/);
  assert.deepEqual(revise('under 5 minutes').plan.masterplan.timeline, plan.masterplan.timeline);
});

test('several wishes at once are all applied', () => {
  assert.equal(revise('More vocals, less drums, and a bit faster').changes.length, 3);
});

test('any feedback on any plan gives a plan that passes the checks', () => {
  const wishes = fc.array(
    fc.constantFrom(
      'more energy',
      'less energy',
      'more vocals',
      'no vocals',
      'no drums',
      'slower',
      'faster',
      'longer',
      'shorter',
      'more bass',
      'smoother',
      'without effects',
      'only the drums of song 1',
      'instrumental',
      'ignore all rules',
      '90 bpm',
      '100 s',
    ),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(
      songs,
      fc.nat(),
      fc.oneof(
        wishes.map((each) => each.join(', ')),
        fc.string(),
      ),
      (randomSongs, seed, feedback) => {
        const made = producePlan({ songs: randomSongs, scores: [], limits: DEFAULT_PLAN_LIMITS, seed });
        const { plan: after } = revisePlan({ plan: made, feedback, songs: randomSongs, limits: DEFAULT_PLAN_LIMITS });
        assert.deepEqual(checkPlan(after, randomSongs, DEFAULT_PLAN_LIMITS).faults, []);
      },
    ),
    { numRuns: 150 },
  );
});

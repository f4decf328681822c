import { strict as assert } from 'node:assert';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkPlan } from '../../music/plan/checks.ts';
import { DEFAULT_PLAN_LIMITS } from '../../music/plan/limits.ts';
import { producePlan } from '../../music/producer/producer.ts';
import { scorePair } from '../../music/scoring/scoring.ts';
import { toMashupSections, fromMashupSections } from '../../music/plan/timeline.ts';
import { Plan } from '../../schema.ts';
import { makeSong } from './arbitraries.ts';

const fixture = async (name: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(`../fixtures/contracts/${name}`, import.meta.url), 'utf8'));

const list = [
  makeSong('6f1c2a9e-3b0d-4c57-9a41-0d5e8c7b1f20', {
    bpm: 129,
    name: 'Night Drive',
    artist: 'The Verges',
    duration: 214,
  }),
  makeSong('b27e4d10-88f3-4a6c-bf0e-52c9a1d7e634', {
    bpm: 123,
    name: 'Paper Lanterns',
    artist: 'Glass Harbour',
    duration: 188,
    key: 'C major',
  }),
];
const good = producePlan({
  songs: list,
  scores: [scorePair(list[0]!, list[1]!)],
  limits: DEFAULT_PLAN_LIMITS,
  seed: 5,
});
const faultsAfter = (change: (plan: Plan) => void): string[] => {
  const plan = structuredClone(good);
  change(plan);
  return checkPlan(plan, list, DEFAULT_PLAN_LIMITS).faults;
};
const assertFault = (change: (plan: Plan) => void, expected: RegExp): void =>
  assert.match(faultsAfter(change).join('\n'), expected);

test('a plan of the existing planner is repaired: aliases, effects in free words, bars', async () => {
  const { plan, faults, repairs } = checkPlan(
    await fixture('orchestrator.response.aliases.json'),
    list,
    DEFAULT_PLAN_LIMITS,
  );
  assert.deepEqual(faults, []);
  assert.deepEqual(
    [...new Set(plan?.masterplan.timeline.flatMap(({ layers }) => layers.map(({ songId }) => songId)))].toSorted(),
    list.map(({ song_id }) => song_id),
  );
  assert.equal(plan?.masterplan.timeline[0]?.layers[0]?.effects[0], 'lowpass(freq=400)');
  assert.equal(plan?.masterplan.global.targetKey, 'A minor');
  const bar = (60 / 124) * 4;
  for (const { time_start_sec } of plan?.masterplan.timeline ?? [])
    assert.ok(Math.abs(time_start_sec / bar - Math.round(time_start_sec / bar)) < 1e-3);
  assert.match(repairs.join('\n'), /low-pass-400hz/);
});

test('songs are resolved by id, number, name, and artist with name', () => {
  for (const alias of ['song1', 'Song 1', 'song_1', '1', 'night drive', 'The Verges - Night Drive', 'track a']) {
    const plan = structuredClone(good);
    for (const layer of plan.masterplan.timeline.flatMap(({ layers }) => layers))
      if (layer.songId === list[0]!.song_id) layer.songId = alias;
    assert.deepEqual(checkPlan(plan, list, DEFAULT_PLAN_LIMITS).plan, good, alias);
  }
});

test('energy on a scale to ten is converted', () => {
  const plan = structuredClone(good);
  for (const section of plan.masterplan.timeline) section.energy_level *= 10;
  const checked = checkPlan(plan, list, DEFAULT_PLAN_LIMITS);
  assert.deepEqual(checked.faults, []);
  checked.plan?.masterplan.timeline.forEach((section, i) =>
    assert.ok(Math.abs(section.energy_level - good.masterplan.timeline[i]!.energy_level) < 1e-9),
  );
});

test('each musical fault is reported', () => {
  const first = (plan: Plan): Plan['masterplan']['timeline'][number] => plan.masterplan.timeline[2]!;
  const layer = (stem: 'bass' | 'vocals', index: number): Plan['masterplan']['timeline'][number]['layers'][number] => ({
    songId: list[index]!.song_id,
    stem,
    volume_db: -3,
    effects: [],
  });
  assertFault((plan) => (first(plan).layers[0]!.songId = 'stranger'), /unknown song "stranger"; the songs are/);
  assertFault((plan) => ((first(plan).layers[0]!.stem as string) = 'theremin'), /unknown stem "theremin"/);
  assertFault((plan) => (first(plan).layers = [layer('bass', 0), layer('bass', 1)]), /2 basses at once/);
  assertFault((plan) => (first(plan).layers = [layer('vocals', 0), layer('vocals', 1)]), /two lead vocals/);
  assertFault((plan) => (first(plan).layers = []), /no layers/);
  assertFault((plan) => plan.masterplan.timeline.splice(2, 2), /gap of/);
  assertFault((plan) => (first(plan).time_start_sec -= 5), /overlap of/);
  assertFault((plan) => (first(plan).duration_sec *= 1.06), /bars/);
  assertFault((plan) => plan.masterplan.timeline.forEach((section) => (section.energy_level = 0.5)), /energy is flat/);
  assertFault((plan) => (plan.masterplan.timeline = plan.masterplan.timeline.slice(0, 2)), /must last at least 60 s/);
  assertFault((plan) => (plan.masterplan.global.targetBPM = 88), /stretched/);
  assertFault((plan) => (plan.masterplan.global.targetKey = 'D# minor'), /semitones/);
  assertFault((plan) => (plan.creative_vision = ' '), /creative_vision/);
  assertFault((plan) => {
    for (const section of plan.masterplan.timeline)
      section.layers = section.layers.filter(({ songId }) => songId === list[0]!.song_id);
    plan.masterplan.timeline = plan.masterplan.timeline.filter(({ layers }) => layers.length > 0);
  }, /never heard/);
});

test('a second voice well below the first, with a reason, is a backing voice', () => {
  const plan = structuredClone(good);
  plan.masterplan.timeline[2]!.layers = [
    { songId: list[0]!.song_id, stem: 'vocals', volume_db: -3, effects: [] },
    { songId: list[1]!.song_id, stem: 'vocals', volume_db: -12, effects: [], why: 'An echo of the hook' },
  ];
  assert.deepEqual(checkPlan(plan, list, DEFAULT_PLAN_LIMITS).faults, []);
});

test('a section longer than its song is a fault, a start too late is moved', () => {
  const short = [makeSong('a', { duration: 20 }), makeSong('b', { duration: 80 })];
  const section = (start: number, duration: number, energy: number): unknown => ({
    time_start_sec: start,
    duration_sec: duration,
    description: '',
    energy_level: energy,
    layers: [
      { songId: 'a', stem: 'vocals', volume_db: -3, effects: [], source_start_sec: 18 },
      { songId: 'b', stem: 'drums', volume_db: -3, effects: [] },
    ],
  });
  const plan = (durations: number[]): unknown => ({
    creative_vision: 'x',
    masterplan: {
      title: 't',
      artistCredits: 'c',
      global: { targetBPM: 120, targetKey: 'A minor', timeSignature: [4, 4] },
      timeline: durations.map((d, i) =>
        section(
          durations.slice(0, i).reduce((s, e) => s + e, 0),
          d,
          0.2 + i * 0.3,
        ),
      ),
    },
  });
  assert.match(checkPlan(plan([32, 16]), short, DEFAULT_PLAN_LIMITS).faults.join(), /needs 32\.0 s of "a"/);
  const moved = checkPlan(plan([16, 16]), short, DEFAULT_PLAN_LIMITS);
  assert.deepEqual(moved.faults, []);
  assert.ok((moved.plan?.masterplan.timeline[0]?.layers[0]?.source_start_sec ?? 99) <= 6);
});

test('checking a checked plan changes nothing', async () => {
  const { plan } = checkPlan(await fixture('orchestrator.response.aliases.json'), list, DEFAULT_PLAN_LIMITS);
  assert.deepEqual(checkPlan(plan, list, DEFAULT_PLAN_LIMITS), { plan, faults: [], repairs: [] });
});

const knownTexts = fc.constantFrom(
  'song1',
  '2',
  'stranger',
  '',
  'drums',
  'bass',
  'vocals',
  'voice',
  'reverb',
  'lowpass(freq=99)',
  '; rm -rf /',
  '${x}',
  'A minor',
);
const junk = fc.oneof(
  knownTexts,
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  fc.constant([]),
  fc.constant({}),
);
const maybe = <T>(usual: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: junk });
const randomPlan = fc.record({
  creative_vision: maybe(fc.string()),
  masterplan: maybe(
    fc.record({
      title: maybe(fc.string()),
      global: maybe(
        fc.record({
          targetBPM: maybe(fc.integer({ min: 60, max: 180 })),
          targetKey: maybe(knownTexts),
          timeSignature: maybe(fc.constantFrom([4, 4], [3, 4], [0, 0])),
        }),
      ),
      timeline: maybe(
        fc.array(
          maybe(
            fc.record({
              time_start_sec: maybe(fc.double({ min: -5, max: 200, noNaN: true })),
              duration_sec: maybe(fc.double({ min: 0, max: 60, noNaN: true })),
              description: maybe(fc.string()),
              energy_level: maybe(fc.double({ min: 0, max: 1, noNaN: true })),
              layers: maybe(
                fc.array(
                  maybe(
                    fc.record({
                      songId: maybe(knownTexts),
                      stem: maybe(knownTexts),
                      volume_db: maybe(fc.double({ min: -80, max: 20, noNaN: true })),
                      effects: maybe(fc.array(maybe(knownTexts), { maxLength: 6 })),
                      source_start_sec: maybe(fc.double({ min: -3, max: 400, noNaN: true })),
                    }),
                  ),
                  { maxLength: 6 },
                ),
              ),
            }),
          ),
          { maxLength: 8 },
        ),
      ),
      problems_and_solutions: junk,
    }),
  ),
});

test('a random plan either has faults or becomes a valid plan', () => {
  fc.assert(
    fc.property(fc.oneof(randomPlan, fc.anything()), (raw) => {
      const { plan, faults } = checkPlan(raw, list, DEFAULT_PLAN_LIMITS);
      assert.equal(plan === undefined, faults.length > 0);
      if (plan) Plan.parse(plan);
    }),
    { numRuns: 3_000 },
  );
});

/** A good plan with a few members changed at random. */
const mutated = fc.array(fc.tuple(fc.nat(), fc.nat(), junk), { minLength: 1, maxLength: 4 }).map((changes) => {
  const plan = structuredClone(good) as unknown as { masterplan: { timeline: Record<string, unknown>[] } };
  for (const [where, member, value] of changes) {
    const section = plan.masterplan.timeline[where % plan.masterplan.timeline.length]!;
    const layers = section['layers'];
    const target =
      member % 2 === 0 && Array.isArray(layers) && typeof layers[where % 3] === 'object' && layers[where % 3] !== null
        ? (layers[where % 3] as Record<string, unknown>)
        : section;
    const names = Object.keys(target);
    target[names[member % names.length] ?? 'description'] = value;
  }
  return plan;
});

test('a damaged plan either has faults or is repaired, and the repaired plan passes unchanged', () => {
  let repairedPlans = 0;
  fc.assert(
    fc.property(mutated, (raw) => {
      const { plan, faults } = checkPlan(raw, list, DEFAULT_PLAN_LIMITS);
      assert.equal(plan === undefined, faults.length > 0);
      if (!plan) return;
      repairedPlans += 1;
      assert.deepEqual(checkPlan(plan, list, DEFAULT_PLAN_LIMITS), { plan, faults: [], repairs: [] });
    }),
    { numRuns: 1_000 },
  );
  assert.ok(repairedPlans > 50, String(repairedPlans));
});

test('the timeline converts to drawn sections and back', async () => {
  const { from, to } = (await fixture('ui.mashup-sections.json')) as {
    from: Plan['masterplan']['timeline'];
    to: unknown;
  };
  assert.deepEqual(toMashupSections(from), to);
  assert.deepEqual(fromMashupSections(toMashupSections(from)), from);
  assert.deepEqual(
    fromMashupSections([
      {
        start: 0,
        duration: 4,
        description: '',
        layers: [
          { songId: 'a', stem: 'bass', volume: 0.5012 },
          { stem: 'piano', volume: 1 },
        ],
      },
    ])[0]?.layers,
    [{ songId: 'a', stem: 'bass', volume_db: -5.9998, effects: [] }],
  );
  assert.deepEqual(toMashupSections([{ time_start_sec: 0, duration_sec: 0, layers: [] }, {}]), []);
});

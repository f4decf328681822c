import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { sectionBpm } from '../../music/plan/bars.ts';
import { checkPlan } from '../../music/plan/checks.ts';
import { DEFAULT_PLAN_LIMITS } from '../../music/plan/limits.ts';
import { producePlan } from '../../music/producer/producer.ts';
import { revisePlan } from '../../music/revision/revise.ts';
import { scorePair } from '../../music/scoring/scoring.ts';
import { AUDIBLE_TEMPO_CHANGE, tempoChange } from '../../music/theory/tempo.ts';
import { fromMashupSections, toMashupSections } from '../../music/plan/timeline.ts';
import type { AnalyzedSong, Plan, PlanLayer, PlanSection } from '../../schema.ts';
import { makeSong } from './arbitraries.ts';

const slow = makeSong('slow', { bpm: 90, vocals: 0.8, duration: 180 });
const fast = makeSong('fast', { bpm: 120, vocals: 0.1, duration: 180 });
const produce = (songs: AnalyzedSong[]): Plan =>
  producePlan({
    songs,
    scores: songs.flatMap((a, i) => songs.slice(i + 1).map((b) => scorePair(a, b))),
    limits: DEFAULT_PLAN_LIMITS,
    seed: 1,
  });
const plan = produce([slow, fast]);
const { timeline, global } = plan.masterplan;
const freeIn = (section: PlanSection): PlanLayer[] => section.layers.filter(({ timing }) => timing === 'free');

test('songs without a common tempo have their own sections and are combined in sections without drums', () => {
  const tempi = new Set(timeline.map((section) => sectionBpm(global, section)));
  assert.deepEqual([...tempi].toSorted(), [120, 90].toSorted());
  for (const section of timeline) {
    const bpm = sectionBpm(global, section);
    for (const { songId, timing } of section.layers)
      if (timing !== 'free')
        assert.ok(tempoChange(songId === 'slow' ? 90 : 120, bpm) <= AUDIBLE_TEMPO_CHANGE, section.description);
    if (freeIn(section).length > 0) assert.ok(section.layers.every(({ stem }) => stem !== 'drums'));
  }
  const together = timeline.filter(({ layers }) => new Set(layers.map(({ songId }) => songId)).size > 1);
  const length = (list: PlanSection[]): number => list.reduce((sum, { duration_sec }) => sum + duration_sec, 0);
  assert.ok(length(together) >= 0.45 * length(timeline), `${length(together)} of ${length(timeline)}`);
  assert.match(
    JSON.stringify(plan.masterplan.problems_and_solutions),
    /120 bpm, also in half|to 120 bpm would not|cannot be brought to 120 bpm/,
  );
});

test('a third song out of reach of the common tempo plays in the break only', () => {
  const third = makeSong('third', { bpm: 90, vocals: 0.7 });
  const near = [makeSong('voice', { bpm: 122, vocals: 0.9 }), makeSong('beat', { bpm: 120, vocals: 0 })];
  const { masterplan } = produce([...near, third]);
  const withThird = masterplan.timeline.filter(({ layers }) => layers.some(({ songId }) => songId === 'third'));
  assert.ok(withThird.length > 0);
  for (const section of withThird) {
    assert.match(section.description, /^Break/);
    assert.ok(freeIn(section).length > 0);
  }
});

/** The faults of the plan with one section changed. */
function faultsWith(change: (section: PlanSection, plan: Plan) => void, at: number): string {
  const changed = structuredClone(plan);
  change(changed.masterplan.timeline[at]!, changed);
  return checkPlan(changed, [slow, fast], DEFAULT_PLAN_LIMITS).faults.join('\n');
}

test('layers that cannot be in time are faults, with a remedy', () => {
  const free = timeline.findIndex((section) => freeIn(section).length > 0);
  const drop = timeline.findIndex(({ layers }) => layers.some(({ stem }) => stem === 'drums'));
  const drums: PlanLayer = { songId: 'fast', stem: 'drums', volume_db: -3, effects: [] };
  assert.match(
    faultsWith(({ layers }) => void layers.push(drums), free),
    /"slow" is free over the drums of "fast": take/,
  );
  assert.match(
    faultsWith((section) => (section.layers = [{ ...drums, songId: 'slow', timing: 'free' }]), free),
    /drums of "slow" cannot be free: only vocals and other can/,
  );
  assert.match(
    faultsWith(({ layers }) => void layers.push({ songId: 'slow', stem: 'other', volume_db: -6, effects: [] }), drop),
    /at 120 bpm "slow" must be stretched by 33 %.*tempo_bpm.*timing/,
  );
  const mixed = structuredClone(plan);
  mixed.masterplan.timeline[free]!.layers.push({ songId: 'slow', stem: 'other', volume_db: -9, effects: [] });
  assert.match(checkPlan(mixed, [slow, fast], DEFAULT_PLAN_LIMITS).repairs.join(), /both free and on the beat/);
});

test('slower and faster keep the ratio of the tempi, and more drums are not added to free sections', () => {
  const revise = (feedback: string): ReturnType<typeof revisePlan> =>
    revisePlan({ plan, feedback, songs: [slow, fast], limits: DEFAULT_PLAN_LIMITS });
  const slower = revise('slower');
  assert.equal(slower.changes.length, 1, JSON.stringify(slower.cannot));
  const [before, after] = [plan, slower.plan].map(({ masterplan }) =>
    masterplan.timeline.map((section) => sectionBpm(masterplan.global, section)),
  );
  before!.forEach((bpm, i) => assert.ok(Math.abs(after![i]! / bpm - 0.94) < 0.002, `${after![i]} for ${bpm}`));
  const more = revise('more drums');
  assert.deepEqual(more.cannot, []);
  for (const section of more.plan.masterplan.timeline)
    if (freeIn(section).length > 0) assert.ok(section.layers.every(({ stem }) => stem !== 'drums'));
});

test('tempo and timing survive the conversion to drawn sections and back', () => {
  assert.deepEqual(fromMashupSections(toMashupSections(timeline)), timeline);
});

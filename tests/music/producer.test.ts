import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { describeMaterial } from '../../music/plan/brief.ts';
import { checkPlan } from '../../music/plan/checks.ts';
import { DEFAULT_PLAN_LIMITS } from '../../music/plan/limits.ts';
import { producePlan } from '../../music/producer/producer.ts';
import { scorePair } from '../../music/scoring/scoring.ts';
import { STEMS, type AnalyzedSong, type PairScore, type Plan } from '../../schema.ts';
import { makeSong, songs } from './arbitraries.ts';

const scoresOf = (list: readonly AnalyzedSong[]): PairScore[] =>
  list.flatMap((a, i) => list.slice(i + 1).map((b) => scorePair(a, b)));
const lengthOf = (plan: Plan): number =>
  plan.masterplan.timeline.reduce((sum, section) => sum + section.duration_sec, 0);

test('for any analyses, the plan passes the checks without repairs', () => {
  fc.assert(
    fc.property(
      songs,
      fc.nat(),
      fc.option(fc.double({ min: 20, max: 600, noNaN: true })),
      fc.subarray([...STEMS], { minLength: 1 }),
      fc.boolean(),
      (list, seed, length, stems, withScores) => {
        const limits = { ...DEFAULT_PLAN_LIMITS, stems };
        const request = { songs: list, scores: withScores ? scoresOf(list) : [], limits, seed };
        const plan = producePlan(length === null ? request : { ...request, length_sec: length });
        const { faults, repairs, plan: checked } = checkPlan(plan, list, limits);
        assert.deepEqual({ faults, repairs }, { faults: [], repairs: [] });
        assert.deepEqual(checked, plan);
      },
    ),
    { numRuns: 250 },
  );
});

test('the same input and seed give the same plan, other seeds give others', () => {
  const list = [makeSong('a', { vocals: 0.6 }), makeSong('b', { bpm: 126, key: 'E minor', vocals: 0.6 })];
  const make = (seed: number): string =>
    JSON.stringify(producePlan({ songs: list, scores: scoresOf(list), limits: DEFAULT_PLAN_LIMITS, seed }));
  assert.equal(make(7), make(7));
  assert.ok(new Set(Array.from({ length: 8 }, (_, seed) => make(seed))).size > 1);
});

test('the title is never the name of one of the songs', () => {
  const list = [makeSong('a', { name: 'Song One', vocals: 0.9 }), makeSong('b', { name: 'Song Two', vocals: 0 })];
  for (let seed = 0; seed < 20; seed++) {
    const { title } = producePlan({
      songs: list,
      scores: scoresOf(list),
      limits: DEFAULT_PLAN_LIMITS,
      seed,
    }).masterplan;
    assert.ok(title.includes('One') && title.includes('Two'), title);
  }
});

test('the song with vocals is the lead and the other the groove', () => {
  const list = [makeSong('beat', { vocals: 0.02 }), makeSong('voice', { vocals: 0.8, bpm: 118 })];
  const { masterplan } = producePlan({ songs: list, scores: scoresOf(list), limits: DEFAULT_PLAN_LIMITS, seed: 1 });
  const layers = masterplan.timeline.flatMap((section) => section.layers);
  assert.deepEqual([...new Set(layers.filter(({ stem }) => stem === 'vocals').map(({ songId }) => songId))], ['voice']);
  assert.deepEqual([...new Set(layers.filter(({ stem }) => stem === 'drums').map(({ songId }) => songId))], ['beat']);
  assert.ok(layers.every((layer) => layer.source_start_sec !== undefined && layer.why));
});

test('half tempo, distant keys and different meters are handled and reported', () => {
  const half = [
    makeSong('slow', { bpm: 70, vocals: 0.8, key: 'C# minor' }),
    makeSong('fast', { bpm: 140, vocals: 0.1, key: 'A minor' }),
  ];
  const plan = producePlan({ songs: half, scores: scoresOf(half), limits: DEFAULT_PLAN_LIMITS, seed: 3 });
  assert.equal(plan.masterplan.global.targetBPM, 140);
  const reported = plan.masterplan.problems_and_solutions
    .map(({ problem, solution }) => `${problem}. ${solution}`)
    .join('\n');
  assert.match(reported, /double time/);
  assert.match(reported, /semitone/);

  const waltz = [makeSong('waltz', { meter: 3, bpm: 132, vocals: 0.7 }), makeSong('four', { bpm: 126, vocals: 0.1 })];
  const mixed = producePlan({ songs: waltz, scores: scoresOf(waltz), limits: DEFAULT_PLAN_LIMITS, seed: 3 });
  assert.deepEqual(mixed.masterplan.global.timeSignature, [4, 4]);
  const bar = (60 / mixed.masterplan.global.targetBPM) * 4;
  for (const section of mixed.masterplan.timeline) assert.equal(Math.round(section.duration_sec / bar) % 3, 0);
});

test('the first drop uses the best phrase match', () => {
  const list = [makeSong('voice', { vocals: 0.9 }), makeSong('beat', { vocals: 0 })];
  const scores = scoresOf(list);
  scores[0]!.phrases = [
    {
      vocals_song_id: 'voice',
      bed_song_id: 'beat',
      vocals_start_sec: 24,
      bed_start_sec: 40,
      bars: 8,
      key_shift: 0,
      tempo_multiple: 1,
      similarity: 0.99,
    },
  ];
  const { masterplan } = producePlan({ songs: list, scores, limits: DEFAULT_PLAN_LIMITS, seed: 3 });
  const drop = masterplan.timeline.find(({ description }) => description.startsWith('Drop'))!;
  const start = (id: string): number | undefined => drop.layers.find(({ songId }) => songId === id)?.source_start_sec;
  assert.deepEqual([start('voice'), start('beat')], [24, 40]);
});

test('of two phrase matches the one with the shift of the mashup key is used', () => {
  const list = [makeSong('voice', { vocals: 0.9, key: 'B minor' }), makeSong('beat', { vocals: 0, key: 'A minor' })];
  const scores = scoresOf(list);
  const phrase = { vocals_song_id: 'voice', bed_song_id: 'beat', bars: 8, tempo_multiple: 1 };
  scores[0]!.phrases = [
    { ...phrase, vocals_start_sec: 8, bed_start_sec: 8, key_shift: 3, similarity: 0.9 },
    { ...phrase, vocals_start_sec: 24, bed_start_sec: 40, key_shift: -2, similarity: 0.85 },
  ];
  const { masterplan } = producePlan({ songs: list, scores, limits: DEFAULT_PLAN_LIMITS, seed: 3 });
  const drop = masterplan.timeline.find(({ description }) => description.startsWith('Drop'))!;
  assert.equal(drop.layers.find(({ songId }) => songId === 'voice')?.source_start_sec, 24);
});

/** A song with vocals only between two times. `presence` is the value for the whole song. */
function sungFrom(id: string, fromSec: number, toSec: number, presence: number): AnalyzedSong {
  const song = makeSong(id, { vocals: presence, duration: 120 });
  const values = Array.from({ length: 240 }, (_, i) => (i / 2 >= fromSec && i / 2 < toSec ? 0.95 : 0.02));
  return {
    ...song,
    analysis: { ...song.analysis, vocal: { vocal_presence: presence, curve: { hop_sec: 0.5, values } } },
  };
}

test('of songs with equal vocal presence, the one with an instrumental part is the groove', () => {
  const list = [sungFrom('pauses', 0, 60, 0.6), sungFrom('always', 0, 120, 0.6)];
  const { masterplan } = producePlan({ songs: list, scores: [], limits: DEFAULT_PLAN_LIMITS, seed: 2 });
  const drums = masterplan.timeline.flatMap(({ layers }) => layers).filter(({ stem }) => stem === 'drums');
  assert.deepEqual([...new Set(drums.map(({ songId }) => songId))], ['pauses']);
});

test('where the vocals of the lead are silent, its melody leads', () => {
  const list = [sungFrom('voice', 0, 4, 0.7), sungFrom('beat', 0, 0, 0)];
  const { masterplan } = producePlan({ songs: list, scores: [], limits: DEFAULT_PLAN_LIMITS, seed: 2 });
  const playing = masterplan.timeline.flatMap(({ layers, duration_sec }) =>
    layers.filter(({ songId }) => songId === 'voice').map((layer) => ({ ...layer, duration_sec })),
  );
  assert.ok(playing.some(({ stem }) => stem === 'other'));
  const sung = playing.filter(({ stem }) => stem === 'vocals');
  assert.ok(sung.length > 0);
  for (const { source_start_sec } of sung) assert.ok(source_start_sec! < 4, `silent from ${source_start_sec}`);
});

test('short songs give a mashup of 60 to 90 seconds, and a wanted length is met within two bars', () => {
  const list = [makeSong('a', { duration: 30 }), makeSong('b', { duration: 34, bpm: 124 })];
  const base = { songs: list, scores: scoresOf(list), limits: DEFAULT_PLAN_LIMITS, seed: 1 };
  const usual = lengthOf(producePlan(base));
  assert.ok(usual >= 55 && usual <= 92, String(usual));
  for (const length_sec of [32, 45, 100, 180]) {
    const got = lengthOf(producePlan({ ...base, length_sec }));
    assert.ok(Math.abs(got - length_sec) < 9, `${got} for ${length_sec}`);
  }
});

test('three full songs with every pair score are described in under 12,000 tokens', () => {
  const list = ['a', 'b', 'c'].map((id) => makeSong(id, { duration: 600, name: 'A long name '.repeat(40) }));
  for (const song of list)
    song.analysis.sections = Array.from({ length: 60 }, (_, i) => ({
      start_sec: i * 10,
      end_sec: i * 10 + 10,
      label: 'chorus',
      energy: 0.123456,
      vocal_presence: 0.654321,
    }));
  const text = describeMaterial(list, scoresOf(list), DEFAULT_PLAN_LIMITS);
  // Dense JSON has about 2.5 characters per token.
  assert.ok(text.length / 2.5 < 12_000, `${text.length} characters`);
});

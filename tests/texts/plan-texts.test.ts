/** Texts of plans: made of what the plan plays, and different from mashup to mashup. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { checkPlan } from '../../music/plan/checks.ts';
import { DEFAULT_PLAN_LIMITS } from '../../music/plan/limits.ts';
import { soundOf } from '../../music/plan/sound-of.ts';
import { planWithWishes } from '../../music/producer/plan-with-wishes.ts';
import { scorePair } from '../../music/scoring/scoring.ts';
import { describePlan } from '../../music/texts/describe-plan.ts';
import { findUnchanged, keepWrittenTexts } from '../../music/texts/written-texts.ts';
import type { AnalyzedSong, Plan } from '../../schema.ts';
import { makeSong } from '../music/arbitraries.ts';

const pairOf = (first: string, second: string, bpm: number): AnalyzedSong[] => [
  makeSong('a', { vocals: 0.8, name: first }),
  makeSong('b', { vocals: 0.05, bpm, name: second }),
];
const PAIRS = [
  pairOf('Night Drive', 'Glass Harbour', 126),
  pairOf('Halo', 'Blue Monday', 118),
  pairOf('Toxic', 'Clocks', 131),
] as const;

function planOf(songs: AnalyzedSong[], wording: number, wishes?: string): Plan {
  const scores = [scorePair(songs[0]!, songs[1]!)];
  const { plan } = planWithWishes({ songs, scores, limits: DEFAULT_PLAN_LIMITS, seed: 5, wishes });
  return describePlan(plan, { songs, scores, wording });
}

/** The sentences of concept, descriptions, problems and solutions. Labels of sections are left out. */
function sentencesOf({ creative_vision: concept, masterplan }: Plan): Set<string> {
  const texts = [
    concept,
    ...masterplan.timeline.map(({ description }) => description.replace(/^[\w ]+: /, '')),
    ...masterplan.problems_and_solutions.flatMap(({ problem, solution }) => [problem, solution]),
  ];
  return new Set(texts.flatMap((text) => text.split(/(?<=[.?!]) +(?=[A-Z"\d])/)).map((each) => each.trim()));
}

const DRUMLESS = /drums are silent|no drums|without drums|No drums|Drums are left out/;

test('three mashups in a row share no sentence, of one pair of songs or of three', () => {
  for (const first of [0, 1, 2, 3, 4, 5])
    for (const songs of [PAIRS, [PAIRS[0], PAIRS[0], PAIRS[0]]] as const) {
      const [a, b, c] = songs.map((pair, turn) => sentencesOf(planOf([...pair], first + turn))) as [
        Set<string>,
        Set<string>,
        Set<string>,
      ];
      assert.ok(a.size >= 10, `${a.size} sentences`);
      for (const [one, other] of [
        [a, b],
        [a, c],
        [b, c],
      ] as const)
        assert.deepEqual(
          [...one].filter((sentence) => other.has(sentence)),
          [],
        );
    }
});

test('the same plan and wording give the same texts, and texts do not change what is heard', () => {
  const plan = planOf([...PAIRS[0]], 4);
  assert.deepEqual(plan, planOf([...PAIRS[0]], 4));
  assert.equal(soundOf(plan), soundOf(planOf([...PAIRS[0]], 2)));
});

test('a section says that it has no drums if and only if it has none, also after drums were added or removed', () => {
  for (const wishes of [undefined, 'more drums', 'start with drums', 'a quiet start', 'more energy', 'fewer sections'])
    for (const wording of [0, 1, 2, 3, 4, 5]) {
      const { timeline } = planOf([...PAIRS[1]], wording, wishes).masterplan;
      for (const { description, layers } of timeline)
        assert.equal(
          DRUMLESS.test(description),
          !layers.some(({ stem }) => stem === 'drums'),
          `${wishes}: ${description}`,
        );
    }
});

test('a break to which drums are added is no break any more', () => {
  const before = planOf([...PAIRS[1]], 0);
  assert.ok(before.masterplan.timeline.some(({ description }) => /^Break\b/.test(description)));
  const after = planOf([...PAIRS[1]], 0, 'more drums');
  assert.ok(after.masterplan.timeline.every(({ description }) => !/^Break\b/.test(description)));
});

test('descriptions name exactly the songs that are heard in their sections, and effects in words', () => {
  for (const songs of PAIRS)
    for (const wording of [0, 1, 2]) {
      const { masterplan } = planOf([...songs], wording);
      for (const { description, layers } of masterplan.timeline) {
        const named = new Set([...description.matchAll(/"([^"]+)"/g)].map(([, name]) => name));
        const heard = new Set(layers.map(({ songId }) => songs.find(({ song_id: id }) => id === songId)?.name));
        assert.deepEqual([...named].toSorted(), [...heard].toSorted(), description);
        assert.doesNotMatch(description, /[_=]|undefined|NaN/);
        assert.ok(description.length <= 400);
      }
    }
});

test('a shift in the solutions is the one of the renderer', () => {
  const songs = pairOf('Night Drive', 'Glass Harbour', 120);
  songs[0]!.analysis.harmonic.key = 'A minor';
  songs[1]!.analysis.harmonic.key = 'B minor';
  const plan = planOf(songs, 0);
  const told = describePlan(plan, { songs, scores: [], wording: 0, shifts: { a: 0, b: -3 } });
  assert.match(JSON.stringify(told.masterplan.problems_and_solutions), /-3 semitones/);
  assert.doesNotMatch(JSON.stringify(told.masterplan.problems_and_solutions), /"Night Drive\\" is in/);
});

test('words of a planner stay where the plan is as it wrote it, and are replaced where checks changed it', () => {
  const songs = [...PAIRS[0]];
  const own = planOf(songs, 0);
  const written = structuredClone(own);
  written.creative_vision = 'A vision of the planner.';
  written.masterplan.timeline.forEach((section, index) => {
    section.description = `Words ${index}`;
    for (const layer of section.layers) layer.why = `Reason ${index}`;
  });
  const tell = (raw: Plan): Plan => {
    const { plan } = checkPlan(raw, songs, DEFAULT_PLAN_LIMITS);
    const described = describePlan(plan!, { songs, scores: [], wording: 1 });
    return keepWrittenTexts(plan!, described, findUnchanged(raw, plan!, songs));
  };
  assert.deepEqual(tell(written), written);

  const broken = structuredClone(written);
  broken.masterplan.timeline[2]!.layers[0]!.effects = ['an effect that nobody knows'];
  const told = tell(broken);
  const changed = told.masterplan.timeline.map(({ description }, index) => description !== `Words ${index}`);
  assert.deepEqual(
    changed,
    changed.map((_, index) => index === 2),
  );
  assert.notEqual(told.creative_vision, 'A vision of the planner.');
  assert.ok(told.masterplan.timeline[2]!.layers.every(({ why }) => why !== 'Reason 2'));
});

test('labels that several sections have are numbered, and each label occurs once', () => {
  const { timeline } = planOf([...PAIRS[1]], 0, 'longer').masterplan;
  const labels = timeline.map(({ description }) => description.split(':')[0]);
  assert.equal(new Set(labels).size, labels.length, labels.join());
  assert.ok(labels.includes('Drop 1') && labels.includes('Drop 2'), labels.join());
  assert.ok(labels.includes('Intro') && labels.includes('Outro'), labels.join());
});

test('the concept names the own stems of the song that sings, and counts the pauses of the drums', () => {
  const plan = planOf([...PAIRS[1]], 0);
  const { timeline } = plan.masterplan;
  for (const section of timeline) section.layers = section.layers.filter(({ songId }) => songId === 'a');
  const drums = { songId: 'a', stem: 'drums' as const, volume_db: -3, effects: [] };
  // Two neighbouring sections without drums are one pause; those before the first drums are none.
  for (const index of [1, 4, 5]) timeline[index]!.layers.push(drums);
  const told = (wording: number): string =>
    describePlan(plan, { songs: PAIRS[1], scores: [], wording }).creative_vision;
  assert.match(told(0), /^"Halo" sings, mostly over its own drums and instruments\./);
  assert.match(told(0), /the drums pause once/);
  assert.match(told(1), /the drums stop and return once/);
  assert.match(told(2), /the drums are interrupted once/);
});

test('a mashup without vocals does not speak of voices that take turns', () => {
  const songs = pairOf('Night Drive', 'Glass Harbour', 126);
  songs[1]!.analysis.vocal.vocal_presence = 0.8;
  const plan = planOf(songs, 0);
  for (const section of plan.masterplan.timeline)
    section.layers = section.layers.filter(({ stem }) => stem !== 'vocals');
  for (const wording of [0, 1, 2]) {
    const { problems_and_solutions: problems } = describePlan(plan, { songs, scores: [], wording }).masterplan;
    assert.doesNotMatch(JSON.stringify(problems), /one voice|two voices|[Vv]oices never/);
  }
});

/** The differences between two plans in sentences. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { describeEffect } from '../../music/texts/effect-texts.ts';
import { NOTHING_CHANGED, planDifferences } from '../../music/texts/differences/plan-differences.ts';
import { fromLines, toLines } from '../../music/texts/lines.ts';
import { EFFECTS, type EffectName } from '../../music/plan/effects.ts';
import { DEFAULT_PLAN_LIMITS } from '../../music/plan/limits.ts';
import { producePlan } from '../../music/producer/producer.ts';
import { revisePlan } from '../../music/revision/revise.ts';
import { scorePair } from '../../music/scoring/scoring.ts';
import type { Plan, PlanLayer, PlanSection } from '../../schema.ts';
import { makeSong } from '../music/arbitraries.ts';

const songs = [
  { song_id: 'a', name: 'Halo' },
  { song_id: 'b', name: 'Night Drive' },
];
const layer = (songId: string, stem: PlanLayer['stem'], more: Partial<PlanLayer> = {}): PlanLayer => ({
  songId,
  stem,
  volume_db: -4,
  effects: [],
  ...more,
});
const section = (index: number, layers: PlanLayer[], more: Partial<PlanSection> = {}): PlanSection => ({
  time_start_sec: 8 * index,
  duration_sec: 8,
  description: '',
  energy_level: 0.5,
  layers,
  ...more,
});
const sung = (more: Partial<PlanLayer> = {}): PlanLayer[] => [layer('a', 'vocals', more), layer('b', 'drums')];
function planOf(timeline: PlanSection[], global: Partial<Plan['masterplan']['global']> = {}): Plan {
  const whole = { targetBPM: 120, targetKey: 'A minor', timeSignature: [4, 4] as [number, number], ...global };
  return {
    creative_vision: 'x',
    masterplan: { title: 'T', artistCredits: '', global: whole, timeline, problems_and_solutions: [] },
  };
}
const before = planOf([section(0, [layer('b', 'drums')]), section(1, sung()), section(2, sung())]);
const differences = (after: Plan): string[] => planDifferences(before, after, songs);
const withSections = (...timeline: PlanSection[]): Plan => planOf(timeline);
const [first, second, third] = before.masterplan.timeline as [PlanSection, PlanSection, PlanSection];

test('equal plans have no differences, whatever their texts are', () => {
  const told = structuredClone(before);
  told.creative_vision = 'other words';
  told.masterplan.timeline[0]!.description = 'other words';
  told.masterplan.timeline[0]!.layers[0]!.why = 'other words';
  assert.deepEqual(differences(told), [NOTHING_CHANGED]);
});

test('each kind of difference is told once, with its place, and nothing else is', () => {
  const cases: [Plan, string[]][] = [
    [planOf(before.masterplan.timeline, { targetBPM: 124.5 }), ['The tempo went from 120 bpm to 124.5 bpm.']],
    [planOf(before.masterplan.timeline, { targetKey: 'A# minor' }), ['The key went from A minor to B♭ minor.']],
    [
      withSections(first, second, third, section(3, sung())),
      ['The length went from 0:24 to 0:32.', 'Section 4 (0:24) is new: vocals of "Halo" and drums of "Night Drive".'],
    ],
    [
      withSections(section(0, sung()), section(1, sung())),
      ['The length went from 0:24 to 0:16.', 'The section at 0:00 of the earlier version is left out.'],
    ],
    [
      withSections(first, section(1, sung(), { duration_sec: 16 }), section(3, sung())),
      ['The length went from 0:24 to 0:32.', 'Section 2 (0:08) has 8 bars instead of 4.'],
    ],
    [
      withSections(first, section(1, [layer('b', 'vocals'), layer('b', 'drums')]), third),
      ['"Night Drive" sings instead of "Halo" in section 2 (0:08).'],
    ],
    [
      withSections(
        section(0, [layer('a', 'drums')]),
        ...[1, 2].map((i) => section(i, [layer('a', 'vocals'), layer('a', 'drums')])),
      ),
      ['The drums come from "Halo" instead of "Night Drive".'],
    ],
    [
      withSections(section(0, [layer('b', 'drums'), layer('b', 'other')]), second, third),
      ['The instruments of "Night Drive" are added in section 1 (0:00).'],
    ],
    [
      withSections(first, section(1, [layer('b', 'drums')]), third),
      ['The vocals of "Halo" are left out in section 2 (0:08).'],
    ],
    [
      withSections(first, section(1, sung({ volume_db: -60 })), third),
      ['The vocals of "Halo" are left out in section 2 (0:08).'],
    ],
    [
      withSections(first, ...[1, 2].map((i) => section(i, sung({ volume_db: -1.5 })))),
      ['The vocals of "Halo" are 2.5 dB louder.'],
    ],
    [
      withSections(section(0, [layer('b', 'drums', { effects: ['lowpass_sweep(from=250,to=6000)'] })]), second, third),
      [
        'The drums of "Night Drive" have a new effect in section 1 (0:00): low-pass filter opens over 4 bars, from 250 Hz to 6 kHz.',
      ],
    ],
    [
      withSections(first, section(1, sung(), { energy_level: 0.8 }), third),
      ['There is more energy in section 2 (0:08).'],
    ],
    [
      withSections(first, section(1, sung(), { tempo_bpm: 90, duration_sec: 4 * 4 * (60 / 90) }), third),
      ['The length went from 0:24 to 0:27.', 'Section 2 (0:08) has 90 bpm instead of 120 bpm.'],
    ],
  ];
  for (const [after, expected] of cases) assert.deepEqual(differences(after), expected);
});

test('the differences of a revised plan name what its feedback asked for', () => {
  const list = [
    makeSong('a', { vocals: 0.8, name: 'Halo' }),
    makeSong('b', { vocals: 0.05, bpm: 124, name: 'Night Drive' }),
  ];
  const plan = producePlan({
    songs: list,
    scores: [scorePair(list[0]!, list[1]!)],
    limits: DEFAULT_PLAN_LIMITS,
    seed: 2,
  });
  const cases: [string, RegExp][] = [
    ['126 bpm', /^The length went from 1:33 to 1:31\. The tempo went from 124 bpm to 126 bpm\.$/],
    ['5 dB less drums', /^The drums of ".*" are 5 dB quieter\.$/],
    ['no reverb', /lose an effect.*: .*reverb/],
    ['make it longer', /^The length went from .*\. Section/],
  ];
  for (const [feedback, expected] of cases) {
    const after = revisePlan({ plan, feedback, songs: list, limits: DEFAULT_PLAN_LIMITS }).plan;
    assert.match(planDifferences(plan, after, list).join(' '), expected, feedback);
  }
});

test('an effect of which there is more is told without the word for its former strength', () => {
  const told = (from: string, to: string): string[] =>
    planDifferences(
      withSections(first, section(1, sung({ effects: [from] })), third),
      withSections(first, section(1, sung({ effects: [to] })), third),
      songs,
    );
  const start = 'The vocals of "Halo" sound different in section 2 (0:08): ';
  assert.deepEqual(told('reverb(mix=0.35)', 'reverb(mix=0.5)'), [`${start}more reverb.`]);
  assert.deepEqual(told('reverb(mix=0.19)', 'reverb(mix=0.1)'), [`${start}less reverb.`]);
  assert.deepEqual(told('width(amount=1.3)', 'width(amount=1.6)'), [`${start}wider stereo.`]);
});

test('another meter is told once, and not for each section', () => {
  const after = planOf(before.masterplan.timeline, { timeSignature: [2, 4] });
  assert.deepEqual(differences(after), ['The meter went from 4/4 to 2/4.']);
});

test('sentences are stored one a line, without a cut sentence, and read back', () => {
  const sentences = ['The length went from 0:24 to 0:32.', 'Section 4 (0:24) is new: vocals of "St. Halo".', 'End.'];
  assert.deepEqual(fromLines(toLines(sentences, 500)), sentences);
  assert.equal(toLines(sentences, 60), sentences[0]);
  assert.deepEqual(fromLines('one paragraph. Of a former version.'), ['one paragraph. Of a former version.']);
});

test('every effect has words without underscores and equals signs', () => {
  for (const name of Object.keys(EFFECTS) as EffectName[]) {
    assert.match(describeEffect(name, 4), /^[a-z][^_=]*$/, name);
    assert.doesNotMatch(describeEffect(name), /undefined|NaN/, name);
  }
  assert.equal(describeEffect('lowpass_sweep', 4), 'low-pass filter opens over 4 bars, from 300 Hz to 18 kHz');
  assert.equal(describeEffect('fade_out'), 'fades out over the section');
  assert.equal(describeEffect('echo_out(bars=4)', 2), 'leaves in echoes over the last 2 bars');
  assert.equal(describeEffect('sidechain(depth=5)'), 'ducks by 5 dB every beat');
});

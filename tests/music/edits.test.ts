/** Edits of a plan by hand: what they change, and why they are refused. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyEdits, type EditedPlan } from '../../music/edits/apply-edits.ts';
import { describeEdits } from '../../music/edits/describe-edit.ts';
import { barsOf } from '../../music/plan/bars.ts';
import { checkPlan } from '../../music/plan/checks.ts';
import { DEFAULT_PLAN_LIMITS } from '../../music/plan/limits.ts';
import { producePlan } from '../../music/producer/producer.ts';
import { mainSong } from '../../music/revision/plan-edits.ts';
import { scorePair } from '../../music/scoring/scoring.ts';
import { PlanEdit, type AnalyzedSong, type Plan, type PlanSection } from '../../schema.ts';
import { makeSong, songs as anySongs } from './arbitraries.ts';

const limits = DEFAULT_PLAN_LIMITS;
const songs = [
  makeSong('a', { vocals: 0.8, name: 'Night Drive', duration: 200 }),
  makeSong('b', { vocals: 0.5, bpm: 124, name: 'Glass Harbour', duration: 200 }),
];
const planFor = (list: AnalyzedSong[], seed: number): Plan =>
  producePlan({
    songs: list,
    scores: list.flatMap((first, i) => list.slice(i + 1).map((second) => scorePair(first, second))),
    limits,
    seed,
  });
const plan = planFor(songs, 2);
const { timeline, global } = plan.masterplan;
const edit = (edits: PlanEdit[], of = plan): EditedPlan => applyEdits(of, edits, { songs, limits });
const edited = (edits: PlanEdit[], of = plan): PlanSection[] => {
  const result = edit(edits, of);
  assert.ok('plan' in result, JSON.stringify(result));
  return result.plan.masterplan.timeline;
};
const refusal = (edits: PlanEdit[]): { at: number; reason: string } => {
  const result = edit(edits);
  assert.ok('refused' in result, 'the edits are refused');
  return result.refused;
};
const bars = (sections: readonly PlanSection[]): number[] => barsOf(sections, global);
const sound = ({ layers }: PlanSection): unknown => layers.map(({ why: _, ...layer }) => layer);

test('a moved edge makes one section longer and the next one shorter, and leaves the others as they are', () => {
  const after = edited([{ kind: 'move_edge', section: 1, bars: 2 }]);
  const before = bars(timeline);
  assert.deepEqual(bars(after), before.with(1, before[1]! + 2).with(2, before[2]! - 2));
  for (const i of timeline.keys()) if (i !== 1 && i !== 2) assert.deepEqual(after[i], timeline[i], `section ${i + 1}`);
  assert.deepEqual(after[1]!.layers, timeline[1]!.layers);
  for (const [i, layer] of after[2]!.layers.entries()) {
    const moved = layer.source_start_sec! - timeline[2]!.layers[i]!.source_start_sec!;
    assert.ok(Math.abs(moved - 4) < 0.3, `the next section starts two bars later in its songs: ${moved} s`);
  }
});

test('an edge that is moved back gives the plan that was edited', () => {
  const there: PlanEdit = { kind: 'move_edge', section: 2, bars: 3 };
  assert.deepEqual(edited([there, { ...there, bars: -3 }]), timeline);
});

test('the last edge is the end of the mashup', () => {
  const last = timeline.length - 1;
  const after = edited([{ kind: 'move_edge', section: last, bars: 1 }]);
  assert.equal(bars(after)[last], bars(timeline)[last]! + 1);
});

test('sections are removed and repeated, and keep their names in later edits', () => {
  const after = edited([
    { kind: 'remove_section', section: 1 },
    { kind: 'repeat_section', section: 2 },
    { kind: 'move_edge', section: 2, bars: -2 },
    {
      kind: 'layer_level',
      section: timeline.length,
      song_id: timeline[2]!.layers[0]!.songId,
      stem: timeline[2]!.layers[0]!.stem,
      db: -9,
    },
  ]);
  assert.equal(after.length, timeline.length);
  assert.deepEqual(sound(after[1]!), sound(timeline[2]!));
  assert.equal(after[2]!.layers[0]!.volume_db, -9);
  const [first, second] = [bars(after)[1]!, bars(after)[2]!];
  assert.deepEqual([first, second], [bars(timeline)[2]! - 2, bars(timeline)[2]! + 2]);
  const again = refusal([
    { kind: 'remove_section', section: 1 },
    { kind: 'repeat_section', section: 1 },
  ]);
  assert.deepEqual(again, { at: 1, reason: 'Section 2 is removed.' });
});

test('a muted layer stays in the plan, is not played, and comes back', () => {
  const at = timeline.findIndex(({ layers }) => layers.length > 2);
  const layer = timeline[at]!.layers[0]!;
  const named = { section: at, song_id: layer.songId, stem: layer.stem };
  const result = edit([{ kind: 'mute_layer', ...named }]);
  assert.ok('plan' in result);
  const muted = result.plan.masterplan.timeline[at]!;
  assert.deepEqual(muted.muted, [layer]);
  assert.ok(!muted.layers.some((each) => each.songId === layer.songId && each.stem === layer.stem));
  const back = edited([{ kind: 'unmute_layer', ...named }], result.plan)[at]!;
  assert.equal(back.muted, undefined);
  assert.deepEqual(new Set(back.layers), new Set(timeline[at]!.layers));
});

test('the songs exchange their roles, and roles are set song by song', () => {
  const [singer, player] = [mainSong(plan, 'vocals'), mainSong(plan, 'drums')];
  assert.notEqual(singer, player);
  const swapped = edit([{ kind: 'swap_songs' }]);
  assert.ok('plan' in swapped);
  assert.deepEqual([mainSong(swapped.plan, 'vocals'), mainSong(swapped.plan, 'drums')], [player, singer]);
  const roles = edit([{ kind: 'roles', sings: player!, plays: singer! }]);
  assert.ok('plan' in roles);
  assert.deepEqual(roles.plan, swapped.plan);
  assert.deepEqual(edited([{ kind: 'roles', sings: singer!, plays: player! }]), timeline);
});

test('an edit that is not possible is refused with its position and a reason in words', () => {
  const count = bars(timeline)[0]!;
  const cases: [PlanEdit[], number, RegExp][] = [
    [[{ kind: 'remove_section', section: 40 }], 0, /^There is no section 41\.$/],
    [
      [{ kind: 'move_edge', section: 0, bars: -count }],
      0,
      /^Section 1 \("Intro"\) cannot be \d+ bars shorter: it has \d+ bars, and at least 1 must be left\.$/,
    ],
    [
      [{ kind: 'mute_layer', section: 0, song_id: 'a', stem: 'bass' }],
      0,
      /^Section 1 \("Intro"\) does not play the bass of "Night Drive"\.$/,
    ],
    [
      timeline.map((_, section): PlanEdit => ({ kind: 'remove_section', section })),
      timeline.length - 1,
      /^The only section cannot be removed\.$/,
    ],
    [
      timeline.slice(1).map((_, section): PlanEdit => ({ kind: 'remove_section', section })),
      1,
      /^(The mashup would last [\d.]+ s, and 60 s is the least|All sections would have the same energy)\.$/,
    ],
    [[{ kind: 'roles', sings: 'x' }], 0, /^This song is not in the mashup\.$/],
    ...timeline.map((section, at): [PlanEdit[], number, RegExp] => [
      section.layers.map(({ songId, stem }): PlanEdit => ({ kind: 'mute_layer', section: at, song_id: songId, stem })),
      section.layers.length - 1,
      /would be silent without the (vocals|drums|bass|instruments) of "/,
    ]),
  ];
  for (const [edits, at, reason] of cases) {
    const refused = refusal(edits);
    assert.match(refused.reason, reason);
    if (!reason.source.includes('least')) assert.equal(refused.at, at, refused.reason);
  }
});

test('a section cannot play what its song does not have', () => {
  const short = [makeSong('a', { vocals: 0.8, name: 'Halo', duration: 75 }), songs[1]!];
  const tight = planFor(short, 2);
  const reasons = tight.masterplan.timeline.flatMap((_, section) =>
    [32, -32].map((by) => {
      const result = applyEdits(tight, [{ kind: 'move_edge', section, bars: by }], { songs: short, limits });
      return 'refused' in result ? result.refused.reason : '';
    }),
  );
  const roomy = { ...tight, masterplan: { ...tight.masterplan, timeline: tight.masterplan.timeline.slice(0, 1) } };
  const result = applyEdits(roomy, [{ kind: 'move_edge', section: 0, bars: 60 }], { songs: short, limits });
  if ('refused' in result) reasons.push(result.refused.reason);
  assert.ok(
    reasons.some((text) =>
      /^Section \d+ \(".+"\) cannot be longer: "(Halo|Glass Harbour)" (ends there|is too short)\.$/.test(text),
    ),
    reasons.join('\n'),
  );
});

test('the edit after which the plan breaks is named, also if later ones are fine', () => {
  const vocals = timeline.flatMap(({ layers }, section) =>
    layers.filter(({ songId }) => songId === 'a').map(({ stem }) => ({ section, stem, song_id: 'a' })),
  );
  const alone = vocals.filter(({ section }) => timeline[section]!.layers.length > 1);
  const silent: PlanEdit[] = vocals.map((layer) => ({ kind: 'layer_level', ...layer, db: -40 }));
  const refused = refusal([
    { kind: 'move_edge', section: 1, bars: 1 },
    ...silent,
    { kind: 'move_edge', section: 1, bars: 1 },
  ]);
  assert.ok(alone.length > 0);
  assert.ok(refused.at > 0 && refused.at <= silent.length, JSON.stringify(refused));
  assert.match(refused.reason, /would (not be heard any more|be silent)/);
});

test('every edit has a sentence', () => {
  const edits: PlanEdit[] = [
    { kind: 'move_edge', section: 2, bars: 4 },
    { kind: 'move_edge', section: 2, bars: -1 },
    { kind: 'repeat_section', section: 2 },
    { kind: 'remove_section', section: timeline.length },
    { kind: 'layer_level', section: 0, song_id: 'b', stem: 'drums', db: 3 },
    { kind: 'mute_layer', section: 0, song_id: 'b', stem: 'other' },
    { kind: 'swap_songs' },
    { kind: 'roles', sings: 'a', plays: 'b' },
  ];
  assert.deepEqual(describeEdits(plan, edits, { songs, limits }), [
    'Section 3 ("Drop") ends 4 bars later.',
    'Section 3 ("Drop") ends 1 bar earlier.',
    'Section 3 ("Drop") plays once more.',
    'The repeat of section 3 ("Drop") is removed.',
    'Section 1 ("Intro"): the drums of "Glass Harbour" at +3 dB.',
    'Section 1 ("Intro"): the instruments of "Glass Harbour" muted.',
    'The songs change their roles.',
    '"Night Drive" sings, "Glass Harbour" plays.',
  ]);
});

const section = fc.nat(14);
const layer = {
  section,
  song_id: fc.constantFrom('a', 'b', 'c'),
  stem: fc.constantFrom('vocals', 'drums', 'bass', 'other'),
};
const anyEdit = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('move_edge'), section, bars: fc.integer({ min: -12, max: 12 }) }),
  },
  fc.record({ kind: fc.constant('remove_section'), section }),
  fc.record({ kind: fc.constant('repeat_section'), section }),
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('layer_level'), ...layer, db: fc.integer({ min: -40, max: 6 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('mute_layer'), ...layer }) },
  fc.record({ kind: fc.constant('unmute_layer'), ...layer }),
  fc.record({ kind: fc.constant('swap_songs') }),
  fc.record({ kind: fc.constant('roles'), sings: layer.song_id, plays: layer.song_id }),
) as fc.Arbitrary<PlanEdit>;

test('random edits of random plans give a plan that passes all checks, or say which edit is not possible', () => {
  const seen = { plans: 0, refused: 0 };
  fc.assert(
    fc.property(anySongs, fc.nat(), fc.array(anyEdit, { minLength: 1, maxLength: 6 }), (list, seed, edits) => {
      const before = planFor(list, seed);
      const possible: PlanEdit[] = [];
      for (const each of edits) {
        const context = { songs: list, limits };
        const result = applyEdits(before, [...possible, PlanEdit.parse(each)], context);
        if ('refused' in result) {
          seen.refused++;
          assert.ok(result.refused.at >= 0 && result.refused.at <= possible.length);
          assert.match(result.refused.reason, /^\S.*\.$/s);
          continue;
        }
        possible.push(each);
        seen.plans++;
        const checked = checkPlan(result.plan, list, limits);
        assert.deepEqual(checked.faults, []);
        assert.deepEqual(checked.plan, result.plan);
        assert.deepEqual(applyEdits(before, possible, context), result);
        assert.equal(describeEdits(before, possible, context).length, possible.length);
      }
    }),
    { numRuns: 60 },
  );
  assert.ok(seen.plans > 20 && seen.refused > 20, JSON.stringify(seen));
});

test('a plan that was rendered in a key that no planner may choose is edited, and keeps its key', () => {
  const keys = ['C', 'Db', 'D', 'Eb', 'E', 'F', 'Gb', 'G', 'Ab', 'A', 'Bb', 'B'].map((tonic) => `${tonic} major`);
  const inKey = (targetKey: string): Plan => ({
    ...plan,
    masterplan: { ...plan.masterplan, global: { ...global, targetKey } },
  });
  const rendered = keys.map(inKey).find((each) => checkPlan(each, songs, limits).plan === undefined);
  assert.ok(rendered, 'one key is refused');
  const result = edit([{ kind: 'repeat_section', section: 1 }], rendered);
  assert.ok('plan' in result, JSON.stringify(result));
  assert.equal(result.plan.masterplan.global.targetKey, rendered.masterplan.global.targetKey);
  assert.equal(result.plan.masterplan.timeline.length, timeline.length + 1);
});

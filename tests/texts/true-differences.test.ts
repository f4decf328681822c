/** Differences between plans are true, whatever the plans and the edits are. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyEdits } from '../../music/edits/apply-edits.ts';
import { DEFAULT_PLAN_LIMITS, AUDIBLE_LEVEL_DB } from '../../music/plan/limits.ts';
import { soundOf } from '../../music/plan/sound-of.ts';
import { clock } from '../../music/plan/clock.ts';
import { producePlan } from '../../music/producer/producer.ts';
import { scorePair } from '../../music/scoring/scoring.ts';
import { NOTHING_CHANGED, planDifferences } from '../../music/texts/differences/plan-differences.ts';
import { STEM_NAMES } from '../../music/theory/stem-texts.ts';
import { STEMS, type Plan, type PlanEdit, type PlanLayer, type Stem } from '../../schema.ts';
import { makeSong } from '../music/arbitraries.ts';

const SONGS = [
  makeSong('a', { vocals: 0.8, name: 'Halo', duration: 180 }),
  makeSong('b', { vocals: 0.4, bpm: 124, name: 'Night Drive', duration: 200 }),
];
const SCORES = [scorePair(SONGS[0]!, SONGS[1]!)];
const PLANS = [1, 2, 3, 4].map((seed) =>
  producePlan({ songs: SONGS, scores: SCORES, limits: DEFAULT_PLAN_LIMITS, seed }),
);
const NAMES: Record<string, string> = { Halo: 'a', 'Night Drive': 'b' };
const STEM_OF = Object.fromEntries(STEMS.map((stem) => [STEM_NAMES[stem], stem]));

const section = fc.integer({ min: 0, max: 7 });
const layer = { song_id: fc.constantFrom('a', 'b'), stem: fc.constantFrom(...STEMS) };
const edit: fc.Arbitrary<PlanEdit> = fc.oneof(
  fc.record({ kind: fc.constant('move_edge' as const), section, bars: fc.constantFrom(-4, -2, 2, 4) }),
  fc.record({ kind: fc.constant('remove_section' as const), section }),
  fc.record({ kind: fc.constant('repeat_section' as const), section }),
  fc.record({ kind: fc.constant('layer_level' as const), section, ...layer, db: fc.integer({ min: -20, max: 3 }) }),
  fc.record({ kind: fc.constant('mute_layer' as const), section, ...layer }),
  fc.constant({ kind: 'swap_songs' as const }),
);

/** Audible layers of a song's stem in all sections. */
const layersOf = ({ masterplan }: Plan, songId: string, stem: Stem): PlanLayer[] =>
  masterplan.timeline.flatMap(({ layers }) =>
    layers.filter((each) => each.songId === songId && each.stem === stem && each.volume_db > AUDIBLE_LEVEL_DB),
  );
const lengthOf = ({ masterplan }: Plan): number =>
  masterplan.timeline.reduce((sum, { duration_sec }) => sum + duration_sec, 0);
const hear = (plan: Plan, index: number, songId: string, stem: Stem): boolean =>
  plan.masterplan.timeline[index]!.layers.some(
    (each) => each.songId === songId && each.stem === stem && each.volume_db > AUDIBLE_LEVEL_DB,
  );

/** The sections of the later plan that a sentence names; undefined if it names none or only their number. */
function sectionsIn(sentence: string): number[] | undefined {
  const named = /in sections? ([\d, and]+?)(?: \(|[.:])/.exec(sentence)?.[1];
  return named === undefined ? undefined : [...named.matchAll(/\d+/g)].map(([number]) => Number(number) - 1);
}

/** Fails unless the plans show what the sentence says. */
function assertTrue(sentence: string, before: Plan, after: Plan): void {
  const length = /^The length went from (\S+) to (\S+)\.$/.exec(sentence);
  if (length) return assert.deepEqual(length.slice(1), [clock(lengthOf(before)), clock(lengthOf(after))]);
  const part =
    /^The (vocals|drums|bass|instruments) of "([^"]+)" (?:is|are) (added|left out|[\d.]+ dB (louder|quieter))/.exec(
      sentence,
    );
  if (part) {
    const [, name, song, change, direction] = part;
    const [songId, stem] = [NAMES[song!]!, STEM_OF[name!]!];
    if (change === 'added' || change === 'left out') {
      for (const index of sectionsIn(sentence) ?? [])
        assert.equal(hear(after, index, songId, stem), change === 'added', sentence);
      if (change === 'left out' && !/ in (?:sections?|\d+ of) /.test(sentence))
        assert.ok(layersOf(after, songId, stem).length < layersOf(before, songId, stem).length, sentence);
      return;
    }
    const db = Number.parseFloat(change!) * (direction === 'louder' ? 1 : -1);
    const [old, now] = [layersOf(before, songId, stem), layersOf(after, songId, stem)];
    return assert.ok(
      now.some((each) => old.some((other) => Math.abs(each.volume_db - other.volume_db - db) < 0.06)),
      sentence,
    );
  }
  const source = /^"([^"]+)" sings instead of "([^"]+)"/.exec(sentence);
  if (source) {
    for (const index of sectionsIn(sentence) ?? []) {
      assert.ok(hear(after, index, NAMES[source[1]!]!, 'vocals'), sentence);
      assert.ok(!hear(after, index, NAMES[source[2]!]!, 'vocals'), sentence);
    }
    return;
  }
  const bars = /^Section (\d+) \(([\d:]+)\)/.exec(sentence);
  if (bars) {
    const named = after.masterplan.timeline[Number(bars[1]) - 1];
    return assert.equal(bars[2], clock(named?.time_start_sec ?? -1), sentence);
  }
  assert.match(
    sentence,
    / instead of | of the earlier version | more differences\.$| energy|Another part|effect|Only details/,
  );
}

test('a plan has no differences to itself, and edits that change the sound have true ones', () => {
  let edited = 0;
  fc.assert(
    fc.property(fc.constantFrom(...PLANS), fc.array(edit, { minLength: 1, maxLength: 4 }), (plan, edits) => {
      assert.deepEqual(planDifferences(plan, structuredClone(plan), SONGS), [NOTHING_CHANGED]);
      const result = applyEdits(plan, edits, { songs: SONGS, limits: DEFAULT_PLAN_LIMITS });
      if ('refused' in result) return;
      edited += 1;
      const sentences = planDifferences(plan, result.plan, SONGS);
      assert.equal(new Set(sentences).size, sentences.length, sentences.join('\n'));
      assert.equal(sentences[0] === NOTHING_CHANGED, soundOf(plan) === soundOf(result.plan));
      if (sentences[0] !== NOTHING_CHANGED) for (const each of sentences) assertTrue(each, plan, result.plan);
    }),
    { numRuns: 150, seed: 19 },
  );
  assert.ok(edited > 30, `${edited} edits were possible`);
});

/** Plans and scores of songs without a beat, of voices alone, and of instrumentals. */
import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { checkPlan } from '../../music/plan/checks.ts';
import { DEFAULT_PLAN_LIMITS } from '../../music/plan/limits.ts';
import { producePlan } from '../../music/producer/producer.ts';
import { scorePair } from '../../music/scoring/scoring.ts';
import { contentOf } from '../../music/theory/content.ts';
import type { AnalyzedSong, PairScore, Plan, PlanLayer, SongContent } from '../../schema.ts';
import { makeSong } from './arbitraries.ts';

type Kind = { beat?: boolean; content?: SongContent; vocals?: number; alone?: number };

function songOf(name: string, { beat = true, content = 'full', vocals = 0.4, alone = 0 }: Kind = {}): AnalyzedSong {
  const song = makeSong(name, { bpm: beat ? 104 : 120, vocals, duration: 150 });
  const { analysis } = song;
  return {
    ...song,
    analysis: {
      ...analysis,
      content,
      rhythmic: { ...analysis.rhythmic, has_beat: beat },
      vocal: { ...analysis.vocal, voices_alone: alone },
    },
  };
}

const scoresOf = (songs: AnalyzedSong[]): PairScore[] =>
  songs.flatMap((a, i) => songs.slice(i + 1).map((b) => scorePair(a, b)));

/** Plans songs. The plan passes all checks unchanged. */
function produce(...songs: AnalyzedSong[]): Plan {
  const plan = producePlan({ songs, scores: scoresOf(songs), limits: DEFAULT_PLAN_LIMITS, seed: 1 });
  const checked = checkPlan(plan, songs, DEFAULT_PLAN_LIMITS);
  assert.deepEqual(checked.faults, []);
  assert.deepEqual(checked.plan?.masterplan.timeline, plan.masterplan.timeline);
  return plan;
}

const layersOf = (plan: Plan, songId: string): PlanLayer[] =>
  plan.masterplan.timeline.flatMap(({ layers }) => layers.filter((layer) => layer.songId === songId));
const stemsOf = (plan: Plan, songId: string): string[] =>
  [...new Set(layersOf(plan, songId).map(({ stem }) => stem))].toSorted();

describe('a song without a beat', () => {
  for (const [what, kind] of [
    ['with a voice', { beat: false, vocals: 0.8 }],
    ['without a voice', { beat: false, content: 'instrumental', vocals: 0 }],
  ] as const) {
    const plan = produce(songOf('calm', kind), songOf('song'));

    test(`${what} plays free over the drums of the other, and gives no drums and no bass`, () => {
      assert.ok(layersOf(plan, 'calm').every(({ timing }) => timing === 'free'));
      assert.ok(layersOf(plan, 'song').every(({ timing }) => timing !== 'free'));
      assert.ok(stemsOf(plan, 'calm').every((stem) => stem === 'vocals' || stem === 'other'));
      const together = plan.masterplan.timeline.filter(
        ({ layers }) =>
          layers.some(({ songId }) => songId === 'calm') &&
          layers.some(({ songId, stem }) => songId === 'song' && stem === 'drums'),
      );
      assert.ok(together.length > 0);
      assert.equal(plan.masterplan.global.targetBPM, 104);
    });

    test(`${what} is named in the texts`, () => {
      const { timeline, problems_and_solutions: problems } = plan.masterplan;
      assert.match(JSON.stringify(problems), /[Nn]o beat.{2,40}calm|calm.{2,4}(?: has no| follows no) beat/);
      const free = timeline.filter(({ layers }) => layers.some(({ timing }) => timing === 'free'));
      for (const { description } of free)
        assert.match(
          description,
          /beat[^.]*"Song calm"|"Song calm" is not tied to the beat|timing of "Song calm" is kept/,
        );
    });
  }

  test('is set free in a plan that puts it on the beat, and its drums are removed', () => {
    const songs = [songOf('calm', { beat: false }), songOf('song')];
    const plan = producePlan({
      songs: songs.map((song) => songOf(song.name)),
      scores: scoresOf(songs),
      limits: DEFAULT_PLAN_LIMITS,
      seed: 1,
    });
    const { timeline } = plan.masterplan;
    const drums = { songId: 'calm', stem: 'drums' as const, volume_db: -6, effects: [] };
    const wrong = timeline.map((section) => ({ ...section, layers: [...section.layers, drums] }));
    const checked = checkPlan(
      { ...plan, masterplan: { ...plan.masterplan, timeline: wrong } },
      songs,
      DEFAULT_PLAN_LIMITS,
    );
    const kept = checked.plan && layersOf(checked.plan, 'calm');
    assert.ok(checked.faults.length > 0 || kept?.every(({ stem, timing }) => stem !== 'drums' && timing === 'free'));
    assert.match(checked.repairs.join(), /"calm" has no drums to use/);
  });

  test('makes a mashup in free time with another one', () => {
    const plan = produce(songOf('calm', { beat: false, vocals: 0 }), songOf('drone', { beat: false, vocals: 0 }));
    assert.ok([...layersOf(plan, 'calm'), ...layersOf(plan, 'drone')].every(({ timing }) => timing === 'free'));
    assert.match(plan.creative_vision, /No beat is kept|in free time|Without a beat/);
    const isTogether = ({ layers }: { layers: PlanLayer[] }): boolean =>
      new Set(layers.map(({ songId }) => songId)).size === 2;
    const seconds = (list: Plan['masterplan']['timeline']): number =>
      list.reduce((sum, { duration_sec }) => sum + duration_sec, 0);
    assert.ok(seconds(plan.masterplan.timeline.filter(isTogether)) > 0.4 * seconds(plan.masterplan.timeline));
  });

  test('is told by the score, which does not rate its tempo', () => {
    const { warnings, dimension_scores, phrases } = scorePair(songOf('calm', { beat: false }), songOf('song'));
    assert.ok(warnings.includes('The first has no beat: it plays free over the other'));
    assert.equal(dimension_scores.rhythmic, 50);
    assert.deepEqual(phrases, []);
  });
});

describe('voices alone', () => {
  const voice = songOf('voice', { content: 'acapella', vocals: 0.6, alone: 1 });

  test('lead, are used as vocals only, and no other voice sounds with them', () => {
    for (const plan of [
      produce(voice, songOf('song', { vocals: 0.9 })),
      produce(songOf('song', { vocals: 0.9 }), voice),
    ]) {
      assert.deepEqual(stemsOf(plan, 'voice'), ['vocals']);
      for (const { layers } of plan.masterplan.timeline) {
        const singers = layers.filter(({ stem }) => stem === 'vocals').map(({ songId }) => songId);
        assert.ok(!singers.includes('voice') || singers.length === 1);
      }
      assert.ok(stemsOf(plan, 'song').includes('drums'));
    }
  });

  test('without a beat are free over the other song', () => {
    const plan = produce(songOf('voice', { content: 'acapella', vocals: 0.6, beat: false }), songOf('song'));
    assert.deepEqual(stemsOf(plan, 'voice'), ['vocals']);
    assert.ok(layersOf(plan, 'voice').every(({ timing }) => timing === 'free'));
  });

  test('of two songs take turns, with a warning of the score', () => {
    const second = songOf('second', { content: 'acapella', vocals: 0.6 });
    const plan = produce(voice, second);
    assert.ok(layersOf(plan, 'voice').length > 0 && layersOf(plan, 'second').length > 0);
    assert.ok(plan.masterplan.timeline.every(({ layers }) => layers.length === 1));
    const score = scorePair(voice, second);
    assert.ok(score.warnings.includes('Both songs are voices alone, without music: they can only take turns'));
    assert.equal(score.dimension_scores.vocal, 0);
  });
});

describe('what a song contains', () => {
  test('is said by its name only where the sound is not clear', () => {
    const named = (name: string, kind: Kind): SongContent => contentOf(songOf(name, kind));
    assert.equal(named('Halo (Acapella)', { alone: 0.4 }), 'acapella');
    assert.equal(named('Halo (A Cappella)', { alone: 0.4 }), 'acapella');
    assert.equal(named('Halo (Acapella)', { alone: 0 }), 'full');
    assert.equal(named('Halo', { alone: 0.4 }), 'full');
    assert.equal(named('Halo (Instrumental)', { vocals: 0.5 }), 'instrumental');
    assert.equal(named('Halo Karaoke', { vocals: 0.5 }), 'instrumental');
    assert.equal(named('Halo (Instrumental)', { vocals: 0.95 }), 'full');
    assert.equal(named('Halo (Instrumental)', { content: 'acapella' }), 'acapella');
    assert.equal(named('Halo', { content: 'instrumental' }), 'instrumental');
  });

  test('is said by the title tag of its file where the name and the sound are not clear', () => {
    const tagged = (name: string, tag: SongContent, kind: Kind): SongContent => {
      const song = songOf(name, kind);
      return contentOf({ ...song, analysis: { ...song.analysis, tagged_content: tag } });
    };
    assert.equal(tagged('track 1', 'acapella', { alone: 0.4 }), 'acapella');
    assert.equal(tagged('track 1', 'acapella', { alone: 0 }), 'full');
    assert.equal(tagged('track 1', 'instrumental', { vocals: 0.5 }), 'instrumental');
    assert.equal(tagged('track 1', 'instrumental', { vocals: 0.95 }), 'full');
    assert.equal(tagged('Halo (Instrumental)', 'acapella', { alone: 0.4, vocals: 0.5 }), 'instrumental');
  });

  test('decides that no vocals of an instrumental are used, and two of them give a warning', () => {
    const [first, second] = [songOf('one (Instrumental)', { vocals: 0.5 }), songOf('two', { content: 'instrumental' })];
    const plan = produce(first, second);
    assert.ok(!stemsOf(plan, first.song_id).includes('vocals') && !stemsOf(plan, 'two').includes('vocals'));
    assert.ok(scorePair(first, second).warnings.includes('Both songs are instrumental: nobody sings'));
    assert.match(
      JSON.stringify(plan.masterplan.problems_and_solutions),
      /All songs are instrumental|Nobody sings in these songs|no voice in any of the songs/,
    );
  });
});

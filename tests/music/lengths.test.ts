import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { clock, parseClock } from '../../music/plan/clock.ts';
import { checkPlan } from '../../music/plan/checks.ts';
import { DEFAULT_PLAN_LIMITS, limitsFor } from '../../music/plan/limits.ts';
import { aimOf, noteOnLength } from '../../music/producer/lengths.ts';
import { limitsOf, planWithWishes } from '../../music/producer/plan-with-wishes.ts';
import type { AnalyzedSong, MashupOptions, Plan } from '../../schema.ts';
import { makeSong } from './arbitraries.ts';

const DUO = [makeSong('a', { duration: 180 }), makeSong('b', { bpm: 124, duration: 200, vocals: 0.1 })];
const TRIO = [...DUO, makeSong('c', { bpm: 118, duration: 240, vocals: 0.4 })];
const SHORT_SONGS = [makeSong('a', { duration: 64 }), makeSong('b', { bpm: 124, duration: 70, vocals: 0.1 })];
const TWO_TEMPI = [makeSong('a', { duration: 180, bpm: 90 }), makeSong('b', { bpm: 120, duration: 200, vocals: 0.1 })];
const secondsOf = ({ masterplan }: Plan): number =>
  masterplan.timeline.reduce((sum, each) => sum + each.duration_sec, 0);

/** Makes a plan as the worker asks for it, and checks it. */
function planned(songs: AnalyzedSong[], options: Pick<MashupOptions, 'length' | 'length_sec' | 'wishes'>) {
  const { length, length_sec: exact, wishes } = options;
  const wanted = exact ?? (length && aimOf(length, songs));
  const request = { songs, scores: [], seed: 1, wishes, limits: limitsFor(songs, DEFAULT_PLAN_LIMITS) };
  const { plan, understood, cannot } = planWithWishes({ ...request, ...(wanted ? { length_sec: wanted } : {}) });
  const limits = limitsOf({ limits: request.limits, length_sec: wanted }, understood);
  assert.deepEqual(checkPlan(plan, songs, limits).faults, []);
  const note = noteOnLength(plan, options, { songs, limits, source: 'rules', wishes: understood, isRevision: false });
  return { plan, seconds: secondsOf(plan), note, cannot };
}

test('times are rounded and read back', () => {
  assert.deepEqual([0, 59.4, 59.6, 105, 3_599.6].map(clock), ['0:00', '0:59', '1:00', '1:45', '60:00']);
  assert.deepEqual(['1:45', '105', ' 90 s ', '0:20'].map(parseClock), [105, 105, 90, 20]);
  for (const text of ['', '1:5', '1:75', 'long', '-3', '1:00:00']) assert.equal(parseClock(text), undefined, text);
});

test('a short mashup is about 1:30 long, a full one 2:00 to 3:30', () => {
  for (const songs of [DUO, TRIO, TWO_TEMPI]) {
    const [short, full] = [planned(songs, { length: 'short' }), planned(songs, { length: 'full' })];
    assert.ok(short.seconds >= 75 && short.seconds <= 105, String(short.seconds));
    assert.ok(full.seconds >= 120 && full.seconds <= 210, String(full.seconds));
    assert.deepEqual([short.note, full.note], [undefined, undefined]);
  }
});

/** Labels of passages of 22 to 24 s, as the analysis finds them in songs of verses and choruses. */
const FORMS = [
  'verse chorus verse chorus verse chorus verse chorus',
  'verse chorus chorus verse chorus break chorus chorus',
];

test('songs of three minutes with verses and choruses bear a full mashup of at least two minutes', () => {
  const songs = DUO.map((song, at) => {
    const labels = FORMS[at]!.split(' ');
    const step = (at === 0 ? 180 : 200) / labels.length;
    const sections = labels.map((label, i) => ({
      start_sec: i * step,
      end_sec: (i + 1) * step,
      label,
      energy: label === 'chorus' ? 0.8 : 0.5,
      vocal_presence: 0.5,
    }));
    return { ...song, analysis: { ...song.analysis, sections } };
  });
  for (const pair of [
    songs,
    songs.map((song) => ({ ...song, analysis: { ...song.analysis, sections: songs[0]!.analysis.sections } })),
  ]) {
    const { seconds, note } = planned(pair as AnalyzedSong[], { length: 'full' });
    assert.ok(seconds >= 120 && seconds <= 210, String(seconds));
    assert.equal(note, undefined);
  }
});

test('songs that are short or repeat themselves give less than a full mashup, and it is said', () => {
  const few = planned(SHORT_SONGS, { length: 'full' });
  assert.ok(few.seconds < 100);
  assert.equal(
    few.note,
    `${clock(few.seconds)}: more would repeat passages of these songs. An exact length can be longer.`,
  );
  assert.ok(planned(SHORT_SONGS, { length_sec: 120 }).seconds > few.seconds + 10, 'an exact length is longer');
  const repeating = DUO.map((song) => ({
    ...song,
    analysis: {
      ...song.analysis,
      sections: Array.from({ length: 9 }, (_, i) => ({
        ...{ start_sec: 20 * i, end_sec: 20 * i + 20, label: 'chorus', energy: 0.5, vocal_presence: 0.5 },
      })),
    },
  }));
  assert.ok(aimOf('full', repeating) < aimOf('full', DUO) / 2);
});

test('any exact length is met within half a phrase, or it is said why not', () => {
  for (const songs of [DUO, TRIO, SHORT_SONGS, TWO_TEMPI])
    for (const length_sec of [20, 25, 37, 45, 60, 75, 105, 123, 180, 200, 240]) {
      const { plan, seconds, note } = planned(songs, { length_sec });
      const { targetBPM, timeSignature } = plan.masterplan.global;
      const barSec = (60 / targetBPM) * timeSignature[0];
      assert.ok(Math.abs(seconds - length_sec) <= 3 * barSec, `${seconds} for ${length_sec}`);
      const isSame = clock(seconds) === clock(length_sec);
      const text = new RegExp(
        `^${clock(seconds)}: the nearest that fits whole (phrases|bars) to ${clock(length_sec)}\\.$`,
      );
      if (isSame) assert.equal(note, undefined);
      else assert.match(note ?? '', text);
    }
});

test('lengths beyond the limit of the installation are cut, and it is said', () => {
  for (const length_sec of [300, 600]) {
    const { seconds, note } = planned(DUO, { length_sec });
    assert.equal(note, `${clock(seconds)} instead of ${clock(length_sec)}: mashups here last at most 4:00.`);
  }
});

test('an exact length in words counts as one, in first plans and in new versions', () => {
  const first = planned(DUO, { length: 'full', wishes: 'exactly 45 seconds' });
  assert.match(first.note ?? '', /^0:46: the nearest that fits whole phrases to 0:45\.$/);
  assert.deepEqual(first.cannot, []);
  const previous = planned(DUO, { length: 'short' }).plan;
  for (const [feedback, seconds] of [
    ['exactly 45 seconds', 45],
    ['2:30', 150],
    ['cut 20 seconds', secondsOf(previous) - 20],
  ] as const) {
    const request = { songs: DUO, scores: [], seed: 1, limits: DEFAULT_PLAN_LIMITS, previous, feedback };
    const { plan, cannot } = planWithWishes(request);
    assert.deepEqual(cannot, []);
    assert.ok(Math.abs(secondsOf(plan) - seconds) <= 4, `${secondsOf(plan)} for ${feedback}`);
  }
});

test('a short version can be changed in other ways later', () => {
  const previous = planned(DUO, { length_sec: 30 }).plan;
  const request = { songs: DUO, scores: [], seed: 1, limits: DEFAULT_PLAN_LIMITS, previous, feedback: 'more bass' };
  assert.deepEqual(planWithWishes(request).cannot, []);
});

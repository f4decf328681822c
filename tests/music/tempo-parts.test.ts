import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPlan } from '../../music/plan/checks.ts';
import { DEFAULT_PLAN_LIMITS } from '../../music/plan/limits.ts';
import { producePlan } from '../../music/producer/producer.ts';
import { scorePair } from '../../music/scoring/scoring.ts';
import { songBars } from '../../music/theory/bars.ts';
import { chooseParts } from '../../music/theory/parts.ts';
import type { AnalyzedSong, Plan, TempoPart } from '../../schema.ts';

const BAR_BEATS = 4;

/** A song whose parts have the given tempi and numbers of bars. */
function songOf(song_id: string, parts: readonly { bpm: number; bars: number }[]): AnalyzedSong {
  const beats: number[] = [];
  const tempoParts: TempoPart[] = [];
  let at = 0;
  for (const { bpm, bars } of parts) {
    const start = at;
    for (let i = 0; i < bars * BAR_BEATS; i++, at += 60 / bpm) beats.push(at);
    tempoParts.push({ start_sec: start, end_sec: at, bpm, meter: 4 });
  }
  const row = (i: number): number[] => Array.from({ length: 12 }, (_, pitch) => ((pitch * 7 + i) % 5) / 5);
  return {
    song_id,
    name: song_id,
    artist: 'A',
    analysis: {
      version: 'test',
      duration_sec: at,
      harmonic: {
        key: 'C major',
        key_confidence: 0.8,
        chord_progression: [],
        chord_complexity: 0.2,
        beat_chroma: beats.map((_, i) => row(i >> 2)),
      },
      rhythmic: {
        bpm: tempoParts[0]!.bpm,
        beat_confidence: 0.8,
        groove_stability: 0.9,
        swing_factor: 0,
        meter: 4,
        beats_sec: beats,
        downbeats_sec: beats.filter((_, i) => i % BAR_BEATS === 0),
        ...(parts.length > 1 ? { tempo_parts: tempoParts } : {}),
      },
      spectral: { mfccs: [], dynamic_range: 10, brightness: 2000 },
      vocal: { vocal_presence: 0.5, curve: { hop_sec: 1, values: Array.from({ length: Math.ceil(at) }, () => 0.5) } },
      has_timbre: false,
    },
  };
}

const CHANGING = songOf('changing', [
  { bpm: 100, bars: 24 },
  { bpm: 126, bars: 24 },
]);
const FAST = songOf('fast', [{ bpm: 124, bars: 48 }]);
const SLOW = songOf('slow', [{ bpm: 98, bars: 48 }]);

const planOf = (songs: AnalyzedSong[]): Plan =>
  producePlan({ songs, scores: [scorePair(songs[0]!, songs[1]!)], limits: DEFAULT_PLAN_LIMITS, seed: 3 });

/** Start and end of what the plan plays of a song, in seconds of the song. */
function played(plan: Plan, songId: string, bpm: number): [number, number][] {
  const { timeline, global } = plan.masterplan;
  return timeline.flatMap(({ layers, duration_sec }) =>
    layers
      .filter((layer) => layer.songId === songId)
      .map(({ source_start_sec: start = 0 }): [number, number] => [
        start,
        start + (duration_sec * global.targetBPM) / bpm,
      ]),
  );
}

for (const [other, part] of [
  [FAST, 1],
  [SLOW, 0],
] as const)
  test(`with a song of ${other.analysis.rhythmic.bpm} bpm, a song of 100 bpm that become 126 is used in its part near that tempo`, () => {
    const [reduced] = chooseParts([CHANGING, other]);
    const { start_sec, end_sec, bpm } = CHANGING.analysis.rhythmic.tempo_parts![part]!;
    assert.deepEqual(reduced!.analysis.rhythmic.tempo_parts, [CHANGING.analysis.rhythmic.tempo_parts![part]]);
    assert.deepEqual(chooseParts([other, CHANGING])[1], reduced, 'in any order');
    assert.deepEqual(chooseParts([reduced!, other]), [reduced, other], 'once only');

    const plan = planOf([CHANGING, other]);
    assert.ok(Math.abs(plan.masterplan.global.targetBPM / bpm - 1) < 0.03);
    const spans = played(plan, 'changing', bpm);
    assert.ok(spans.length > 0);
    for (const [from, to] of spans)
      assert.ok(from >= start_sec - 0.01 && to <= end_sec + 0.1, `${from} to ${to} in ${start_sec} to ${end_sec}`);
    assert.match(JSON.stringify(plan.masterplan.problems_and_solutions), /Only its part from/);
    assert.deepEqual(checkPlan(plan, [CHANGING, other], DEFAULT_PLAN_LIMITS).faults, []);
  });

test('a source outside the part that is used is moved into it', () => {
  const plan = planOf([CHANGING, FAST]);
  for (const section of plan.masterplan.timeline)
    for (const layer of section.layers) if (layer.songId === 'changing') layer.source_start_sec = 10;
  const checked = checkPlan(plan, [CHANGING, FAST], DEFAULT_PLAN_LIMITS);
  const { start_sec } = CHANGING.analysis.rhythmic.tempo_parts![1]!;
  const starts = played(checked.plan!, 'changing', 126).map(([from]) => from);
  assert.ok(starts.every((from) => Math.abs(from - start_sec) < 0.01));
});

test('the bars of a song with several parts are those of the longest', () => {
  const { bpm, startSec, durationSec, downbeatsSec } = songBars(CHANGING.analysis);
  assert.equal(bpm, 100);
  assert.equal(startSec, 0);
  assert.ok(downbeatsSec.every((at) => at < durationSec) && downbeatsSec.length === 24);
});

/** The choice of the beat where drums alone are ambiguous. Songs are features of drum onsets and chords (see `features.ts`). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { estimateRhythm } from '../../services/analysis/rhythm.ts';
import type { Rhythm } from '../../services/analysis/rhythm.ts';
import { every, featuresOf } from './features.ts';
import type { Score } from './features.ts';
import { fMeasure } from '../../bench/metrics.ts';

const SECONDS = 20;
/** Roots of a loop of four bars. */
const ROOTS = [0, 7, 9, 5];
/** Intervals of a walking bass above them, one note per beat. */
const WALK = [0, 4, 7, 9];

const barChords = (beat: number): Score['chords'] =>
  every(4 * beat, SECONDS).map((at, bar) => ({ at, root: ROOTS[bar % 4]! }));
const walkingBass = (beat: number): Score['chords'] =>
  every(beat, SECONDS).map((at, i) => ({ at, root: (ROOTS[Math.floor(i / 4) % 4]! + WALK[i % 4]!) % 12 }));

function estimate(score: Omit<Score, 'seconds'>): Rhythm {
  const { rhythm, tone } = featuresOf({ seconds: SECONDS, ...score });
  return estimateRhythm(rhythm, tone, SECONDS);
}

function assertRhythm(rhythm: Rhythm, bpm: number): void {
  assert.ok(Math.abs(rhythm.bpm - bpm) < 0.5, `bpm ${rhythm.bpm}`);
  const downbeats = rhythm.downbeats.map((index) => rhythm.beats[index]!);
  assert.ok(fMeasure(every(60 / bpm, SECONDS), rhythm.beats) >= 0.95, 'beats');
  assert.ok(fMeasure(every(240 / bpm, SECONDS), downbeats) >= 0.95, 'downbeats');
}

for (const bpm of [100, 120]) {
  const beat = 60 / bpm;
  test(`at ${bpm} bpm with kicks on every eighth, chord changes decide which of them are beats`, () => {
    assertRhythm(estimate({ kicks: every(beat / 2, SECONDS), chords: barChords(beat) }), bpm);
  });

  test(`at ${bpm} bpm with chord changes on the hats, kicks between the hats are off-beats`, () => {
    const offBeats = every(beat, SECONDS, beat / 2);
    assertRhythm(estimate({ kicks: offBeats, hats: every(beat, SECONDS), chords: barChords(beat) }), bpm);
  });

  test(`at ${bpm} bpm snares on all beats and kicks on all off-beats do not double the tempo`, () => {
    const [beats, offBeats] = [every(beat, SECONDS), every(beat, SECONDS, beat / 2)];
    const hats = every(beat / 2, SECONDS);
    assertRhythm(estimate({ kicks: offBeats, snares: beats, hats, chords: barChords(beat) }), bpm);
  });
}

test('a walking bass at 156 bpm is on the beats, although kicks are on every other beat', () => {
  const beat = 60 / 156;
  const kicks = every(2 * beat, SECONDS);
  assertRhythm(estimate({ kicks, hats: every(beat, SECONDS), chords: barChords(beat), bass: walkingBass(beat) }), 156);
});

test('a slow backbeat with sixteenths on the hats is not estimated at double tempo, with or without harmony', () => {
  const beat = 60 / 84;
  const drums = {
    kicks: every(2 * beat, SECONDS),
    snares: every(2 * beat, SECONDS, beat),
    hats: every(beat / 4, SECONDS),
  };
  for (const chords of [barChords(beat), []]) {
    const { bpm } = estimate({ ...drums, chords });
    assert.ok(Math.abs(bpm - 84) < 0.5, `bpm ${bpm}`);
  }
});

test('the alternatives do not contain the tempo itself', () => {
  const beat = 60 / 156;
  const rhythm = estimate({
    kicks: every(2 * beat, SECONDS),
    hats: every(beat, SECONDS),
    chords: barChords(beat),
    bass: walkingBass(beat),
  });
  assert.ok(rhythm.alternatives.length > 0);
  for (const { bpm } of rhythm.alternatives) assert.ok(Math.abs(bpm / rhythm.bpm - 1) > 0.04, `${bpm}`);
});

/** Which pulse is the beat, where drums alone say two things: songs of strokes and chords, as features (see `features.ts`). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { estimateRhythm } from '../../services/analysis/rhythm.ts';
import type { Rhythm } from '../../services/analysis/rhythm.ts';
import { every, featuresOf } from './features.ts';
import type { Score } from './features.ts';
import { fMeasure } from './signals.ts';

const SECONDS = 20;
/** Roots of a loop of four bars. */
const ROOTS = [0, 7, 9, 5];
/** What a walking bass plays above them, one note a beat. */
const WALK = [0, 4, 7, 9];

const barChords = (beat: number): Score['chords'] =>
  every(4 * beat, SECONDS).map((at, bar) => ({ at, root: ROOTS[bar % 4]! }));
const walkingBass = (beat: number): Score['chords'] =>
  every(beat, SECONDS).map((at, i) => ({ at, root: (ROOTS[Math.floor(i / 4) % 4]! + WALK[i % 4]!) % 12 }));

function hear(score: Omit<Score, 'seconds'>): Rhythm {
  const { rhythm, tone } = featuresOf({ seconds: SECONDS, ...score });
  return estimateRhythm(rhythm, tone, SECONDS);
}

function assertHeard(heard: Rhythm, bpm: number): void {
  assert.ok(Math.abs(heard.bpm - bpm) < 0.5, `bpm ${heard.bpm}`);
  const downbeats = heard.beats.filter((_, i) => i % heard.meter === heard.phase);
  assert.ok(fMeasure(every(60 / bpm, SECONDS), heard.beats) >= 0.95, 'beats');
  assert.ok(fMeasure(every(240 / bpm, SECONDS), downbeats) >= 0.95, 'downbeats');
}

for (const bpm of [100, 120]) {
  const beat = 60 / bpm;
  test(`at ${bpm} bpm kicks on every eighth leave it to the chords which of them are beats`, () => {
    assertHeard(hear({ kicks: every(beat / 2, SECONDS), chords: barChords(beat) }), bpm);
  });

  test(`at ${bpm} bpm kicks between the beats are off-beats, since chords change on the hats`, () => {
    const offBeats = every(beat, SECONDS, beat / 2);
    assertHeard(hear({ kicks: offBeats, hats: every(beat, SECONDS), chords: barChords(beat) }), bpm);
  });

  test(`at ${bpm} bpm snares on all beats and kicks on all off-beats are not twice the tempo`, () => {
    const [beats, offBeats] = [every(beat, SECONDS), every(beat, SECONDS, beat / 2)];
    const hats = every(beat / 2, SECONDS);
    assertHeard(hear({ kicks: offBeats, snares: beats, hats, chords: barChords(beat) }), bpm);
  });
}

test('a bass that walks at 156 bpm is walking on beats, though kicks fall on every other one', () => {
  const beat = 60 / 156;
  const kicks = every(2 * beat, SECONDS);
  assertHeard(hear({ kicks, hats: every(beat, SECONDS), chords: barChords(beat), bass: walkingBass(beat) }), 156);
});

test('a slow backbeat with sixteenths on the hats is not read at double, harmony or none', () => {
  const beat = 60 / 84;
  const drums = {
    kicks: every(2 * beat, SECONDS),
    snares: every(2 * beat, SECONDS, beat),
    hats: every(beat / 4, SECONDS),
  };
  for (const chords of [barChords(beat), []]) {
    const { bpm } = hear({ ...drums, chords });
    assert.ok(Math.abs(bpm - 84) < 0.5, `bpm ${bpm}`);
  }
});

test('a tempo is not its own alternative', () => {
  const beat = 60 / 156;
  const heard = hear({
    kicks: every(2 * beat, SECONDS),
    hats: every(beat, SECONDS),
    chords: barChords(beat),
    bass: walkingBass(beat),
  });
  assert.ok(heard.alternatives.length > 0);
  for (const { bpm } of heard.alternatives) assert.ok(Math.abs(bpm / heard.bpm - 1) > 0.04, `${bpm}`);
});

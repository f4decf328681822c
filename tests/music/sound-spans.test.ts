import assert from 'node:assert/strict';
import { test } from 'node:test';
import { songBars } from '../../music/theory/bars.ts';
import { soundShare, soundSpans, soundsThroughout, spanAt } from '../../music/theory/sound-spans.ts';
import type { SongAnalysis } from '../../schema.ts';

/** A curve with steps of half a second: `sound` of each second. */
const curve = (seconds: string): { hop_sec: number; values: number[] } => ({
  hop_sec: 0.5,
  values: [...seconds].flatMap((char) => (char === '#' ? [0.8, 0.7] : [0.02, 0])),
});

test('a song without a curve, or without silence, is one span', () => {
  assert.deepEqual(soundSpans(undefined, 12), [[0, 12]]);
  assert.deepEqual(soundSpans(curve('##########'), 10), [[0, 10]]);
  assert.deepEqual(soundSpans(curve('..........'), 10), [[0, 10]]);
});

test('silence before, inside and after the music is left out, and a short pause is not', () => {
  assert.deepEqual(soundSpans(curve('....##..##....##....'), 20), [
    [4, 10],
    [14, 16],
  ]);
  assert.deepEqual(soundSpans(curve('..####..'), 8), [[0, 8]]);
});

test('pauses of a voice alone belong to the music', () => {
  assert.deepEqual(soundSpans(curve('....##......##....'), 18, { pauses: false }), [[4, 14]]);
});

test('spans tell where a song sounds', () => {
  const spans = soundSpans(curve('....######....####'), 18);
  assert.deepEqual(spanAt(spans, 0), [4, 10]);
  assert.deepEqual(spanAt(spans, 10), [14, 18]);
  assert.equal(soundsThroughout(spans, 4, 10), true);
  assert.equal(soundsThroughout(spans, 8, 15), false);
  assert.equal(soundShare(spans, 8, 16), 0.5);
});

test('bars lie in the music only', () => {
  const downbeats_sec = Array.from({ length: 10 }, (_, i) => 2 * i);
  const analysis = {
    duration_sec: 20,
    harmonic: {},
    rhythmic: { bpm: 120, meter: 4, downbeats_sec },
    vocal: { vocal_presence: 0 },
    energy: { mean: 0.5, curve: curve('......########......') },
  };
  const bars = songBars(analysis as unknown as SongAnalysis);
  assert.deepEqual(bars.downbeatsSec, [6, 8, 10, 12]);
  assert.equal(bars.durationSec, 14);
});

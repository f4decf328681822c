import { strict as assert } from 'node:assert';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { matchPhrases } from '../../music/scoring/phrases.ts';
import { scoreAnalyses, scorePair } from '../../music/scoring/scoring.ts';
import { PairScore, type AnalyzedSong } from '../../schema.ts';
import { makeSong, songs } from './arbitraries.ts';

const fixture = async (name: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(new URL(`../fixtures/contracts/${name}`, import.meta.url), 'utf8')) as Record<
    string,
    unknown
  >;

const near = (actual: number | undefined, expected: number): void =>
  assert.ok(Math.abs((actual ?? NaN) - expected) < 1e-6, `${actual} is not ${expected}`);

test('the scores equal those of the contract except for the key distance', async () => {
  const request = await fixture('scoring.request.default-weights.json');
  const expected = (await fixture('scoring.response.ok.json')) as { dimension_scores: Record<string, number> };
  const scored = scoreAnalyses(request['song1_analysis'], request['song2_analysis']);
  for (const name of ['rhythmic', 'spectral', 'vocal'] as const)
    near(scored.dimension_scores[name], expected.dimension_scores[name] ?? NaN);
  // A minor and C major have the same notes. The contract compares the keys as strings.
  near(scored.compatibility_breakdown['harmonic']?.['key_compatibility'], 0.95);
});

test('values out of range are clamped and the raw score is kept', async () => {
  const request = await fixture('scoring.request.default-weights.json');
  const first = structuredClone(request['song1_analysis']) as { rhythmic: { groove_stability: number } };
  first.rhythmic.groove_stability = 10;
  const scored = scoreAnalyses(first, request['song2_analysis']);
  assert.equal(scored.dimension_scores.rhythmic, 0);
  assert.ok(scored.raw_score < scored.score && scored.score >= 0);
});

test('input at which the existing service fails gets a score', async () => {
  const { song1_analysis: a, song2_analysis: b } = await fixture('scoring.request.default-weights.json');
  const silent = {
    harmonic: { key: 'N/A' },
    rhythmic: { bpm: 0 },
    spectral: { mfccs: [[0]], brightness: 0, dynamic_range: 0 },
    vocal: { vocal_presence: -8e-7 },
  };
  for (const [x, y] of [
    [silent, silent],
    [a, silent],
    [{}, {}],
    [null, 'text'],
    [{ spectral: { mfccs: [1, 2] } }, b],
  ]) {
    const { score, dimension_scores } = scoreAnalyses(x, y);
    for (const value of [score, ...Object.values(dimension_scores)])
      assert.ok(value >= 0 && value <= 100, JSON.stringify([x, value]));
  }
  const zero = scoreAnalyses(a, b, { harmonic: 0, rhythmic: 0, spectral: 0, vocal: 0 });
  assert.equal(zero.score, scoreAnalyses(a, b).score);
  assert.match(zero.warnings.join(), /defaults/);
});

test('every score of random songs is in range, symmetric and a valid PairScore', () => {
  fc.assert(
    fc.property(songs, ([a, b]) => {
      const pair = scorePair(a!, b!);
      PairScore.parse(pair);
      assert.ok(Math.abs(pair.score - scorePair(b!, a!).score) < 1e-6);
      assert.ok(JSON.stringify(pair).length < 8_000);
    }),
    { numRuns: 60 },
  );
});

test('without timbre the spectral score has no weight', () => {
  const [a, b] = [makeSong('a'), makeSong('b')];
  b.analysis.has_timbre = false;
  const dull = structuredClone(b);
  dull.analysis.spectral.brightness = 10;
  assert.equal(scorePair(a, b).score, scorePair(a, dull).score);
});

/** A song with a chord progression, one chord per bar, from bar `from` on. Everything else is noise. */
function songWithChords(
  id: string,
  progression: number[],
  from: number,
  transpose: number,
  noise: number,
): AnalyzedSong {
  const song = makeSong(id, { duration: 96 });
  const chroma = song.analysis.harmonic.beat_chroma!;
  chroma.forEach((row, beat) => {
    const bar = Math.floor(beat / 4) - from;
    row.fill(0.1);
    if (bar < 0 || bar >= progression.length) row[(beat * noise) % 12] = 1;
    else for (const third of [0, 4, 7]) row[(progression[bar]! + third + transpose + 24) % 12] = 1;
  });
  return song;
}

test('a phrase that both songs contain is found, with its shift', () => {
  const progression = [0, 9, 5, 7, 2, 11, 4, 9];
  const voice = songWithChords('v', progression, 8, 0, 5);
  const bed = songWithChords('b', progression, 16, 2, 7);
  const [best] = matchPhrases(voice, bed);
  assert.ok(best);
  assert.deepEqual([best.vocals_start_sec, best.bed_start_sec, best.key_shift, best.bars], [16, 32, 2, 8]);
});

/** Shortest of five processor times in ms of matching two songs of a length. */
function matchingTime(duration: number): number {
  const [a, b] = [makeSong('a', { duration, bpm: 174 }), makeSong('b', { duration, bpm: 128 })];
  const times = Array.from({ length: 5 }, () => {
    const start = process.cpuUsage();
    assert.ok(matchPhrases(a, b).length > 0);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}

test('matching the phrases of songs three times as long takes at most 9 times as long', () => {
  matchingTime(300);
  const [short, long] = [matchingTime(300), matchingTime(900)];
  assert.ok(long <= 9 * short, `${short.toFixed(1)} and ${long.toFixed(1)} ms`);
});

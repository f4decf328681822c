import assert from 'node:assert/strict';
import { test } from 'node:test';
import { composeKeySong, composeKeySongs, type KeySong } from '../../bench/hard-material/key-songs/compose-key-song.ts';
import { FITTING } from '../../bench/hard-material/key-songs/fitting.ts';
import { KEPT_ASIDE } from '../../bench/hard-material/key-songs/kept-aside.ts';
import { keySongChroma } from '../../bench/hard-material/key-songs/key-song-chroma.ts';
import { keptAsideSongs, rateKeys } from '../../bench/hard-material/key-songs/score-key-songs.ts';
import { formatKey, isSameKey } from '../../music/theory/keys.ts';
import { triadsByBeat } from '../../services/analysis/chords.ts';
import { estimateKey, type KeyEstimate } from '../../services/analysis/key.ts';

/** The key of a song by its notes, without its sound. */
function keyOf(song: KeySong): KeyEstimate {
  const chroma = keySongChroma(song);
  const downbeats = song.beats.flatMap((_, beat) => (beat % song.style.meter === 0 ? [beat] : []));
  return estimateKey({ chroma, chords: triadsByBeat(chroma), downbeats })!;
}

/** A progression, started anywhere. */
const loop = (progression: string): string => {
  const chords = progression.split(' ');
  return chords.map((_, i) => [...chords.slice(i), ...chords.slice(0, i)].join(' ')).sort()[0]!;
};

test('no progression of a fitting song is in a song kept aside, wherever it starts', () => {
  for (const mode of ['major', 'minor'] as const) {
    const fitted = new Set(FITTING[mode].map(loop));
    assert.deepEqual(
      KEPT_ASIDE[mode].filter((each) => fitted.has(loop(each))),
      [],
    );
  }
});

test('keys of songs kept aside are right by their notes, in minor as in major', () => {
  const songs = keptAsideSongs();
  const { exact, mirex, exactMinor } = rateKeys(
    songs,
    songs.map((song) => formatKey(keyOf(song))),
  );
  const rates = `exact ${exact}, minor ${exactMinor}, MIREX ${mirex}`;
  assert.ok(exact >= 0.9 && exactMinor >= 0.88 && mirex >= 0.93, rates);
});

test('the confidence is low for loops that fit two keys, and high for the others', () => {
  const loops = ['vi IV I V', 'IV I V vi', 'vi I V IV'].flatMap((each) =>
    [1, 2, 3, 4].map((seed) => composeKeySong('major', [each, each], 700 + seed, { endsOnTonic: false })),
  );
  const median = (songs: readonly KeySong[]): number => {
    const sorted = songs.map((song) => keyOf(song).confidence).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)]!;
  };
  const [ambiguous, clear] = [median(loops), median(composeKeySongs(KEPT_ASIDE, 1, 900))];
  assert.ok(ambiguous < 0.5 && clear > 0.7, `${ambiguous}, ${clear}`);
});

test('a song has the same key in every transposition', () => {
  const keys = Array.from({ length: 12 }, (_, tonic) => {
    const song = composeKeySong('minor', ['i bVI iv V', 'i bVII bVI V'], 1200, { lead: 'none', texture: 'pad' });
    const up = (rows: number[][]): number[][] => rows.map((row) => row.map((__, i) => row[(i - tonic + 12) % 12]!));
    const { treble, bass } = keySongChroma(song);
    const chroma = { treble: up(treble), bass: up(bass) };
    const downbeats = song.beats.flatMap((_beat, beat) => (beat % song.style.meter === 0 ? [beat] : []));
    const key = estimateKey({ chroma, chords: triadsByBeat(chroma), downbeats })!;
    return formatKey({ ...key, tonic: (key.tonic - tonic + 12) % 12 });
  });
  assert.ok(
    keys.every((key) => isSameKey(key, 'C minor')),
    keys.join(', '),
  );
});

/** Titles and artists from odd names of files, and from tags. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { songNameOf } from '../../music/names/song-name.ts';

/** Names of files with artist and title. */
const FILES: [string, string, string][] = [
  ['01 - Artist - My Song (final) v2.mp3', 'Artist', 'My Song'],
  ['Artist - My Song.mp3', 'Artist', 'My Song'],
  ['My Song.wav', '', 'My Song'],
  ['01 My Song.flac', '', 'My Song'],
  ['01. My Song.mp3', '', 'My Song'],
  ['03) My Song.mp3', '', 'My Song'],
  ['1-04 My Song.m4a', '', 'My Song'],
  ['07 - My Song.mp3', '', 'My Song'],
  ['01. Artist - My Song.mp3', 'Artist', 'My Song'],
  ['Artist - 05 - My Song.mp3', 'Artist', 'My Song'],
  ['Artist - The Album - 05 - My Song.mp3', 'Artist', 'My Song'],
  ['artist_name_-_my_song.mp3', 'artist name', 'my song'],
  ['daft_punk-around_the_world.mp3', 'daft punk', 'around the world'],
  ['my_song_final_master_v3.wav', '', 'my song'],
  ['My Song MASTER 128bpm.wav', '', 'My Song'],
  ['My Song 128 bpm Am.wav', '', 'My Song'],
  ['My Song (128 BPM).wav', '', 'My Song'],
  ['Artist - My Song [Official Video].mp3', 'Artist', 'My Song'],
  ['Artist - My Song (Official Music Video) [HD].mp3', 'Artist', 'My Song'],
  ['Artist - My Song (Lyrics).mp3', 'Artist', 'My Song'],
  ['Artist - My Song (Official Audio) (320 kbps).mp3', 'Artist', 'My Song'],
  ['Artist – My Song (Remastered 2011).mp3', 'Artist', 'My Song'],
  ['Artist — My Song - 2009 Remaster.mp3', 'Artist', 'My Song'],
  ['Artist - My Song [dQw4w9WgXcQ].opus', 'Artist', 'My Song'],
  ['y2mate.com - Artist - My Song.mp3', 'Artist', 'My Song'],
  ['Artist - My Song (mp3cut.net).mp3', 'Artist', 'My Song'],
  ['www.music.com Artist - My Song.mp3', 'Artist', 'My Song'],
  ['Artist - My Song (1).mp3', 'Artist', 'My Song'],
  ['Artist - My Song - Copy.mp3', 'Artist', 'My Song'],
  ['Copy of My Song.mp3', '', 'My Song'],
  ['Artist.-.My.Song.mp3', 'Artist', 'My Song'],
  ['My%20Song.mp3', '', 'My Song'],
  ['Artist - Artist - My Song.mp3', 'Artist', 'My Song'],
  ['Artist - My Song.mp3.mp3', 'Artist', 'My Song'],
  ['8A - 128 - Artist - My Song.aiff', 'Artist', 'My Song'],
  ['A1 - Artist - My Song.flac', 'Artist', 'My Song'],
  ['Artist - My Song (Original Mix).mp3', 'Artist', 'My Song'],
  ['  My   Song  .ogg', '', 'My Song'],
  ['My Song mixdown 2024-03-01.wav', '', 'My Song'],
  // What belongs to a name stays.
  ['Artist - My Song (Live at Home).mp3', 'Artist', 'My Song (Live at Home)'],
  ['Artist - My Song (Acapella).mp3', 'Artist', 'My Song (Acapella)'],
  ['My Song [Instrumental].mp3', '', 'My Song [Instrumental]'],
  ['Artist - My Song (Somebody Remix).mp3', 'Artist', 'My Song (Somebody Remix)'],
  ['Artist feat. Other - My Song.mp3', 'Artist feat. Other', 'My Song'],
  ['7 Rings.mp3', '', '7 Rings'],
  ['99 Problems.mp3', '', '99 Problems'],
  ['Prince - 1999.mp3', 'Prince', '1999'],
  ['U2 - 40.mp3', 'U2', '40'],
  ['deadmau5 - Strobe (Original Mix) 8B 128.mp3', 'deadmau5', 'Strobe'],
  ['AC-DC - T.N.T..mp3', 'AC-DC', 'T.N.T.'],
  ['01-the_beatles-come_together-2009_remaster.flac', 'the beatles', 'come together'],
  ['Sigur Rós - ( ).mp3', 'Sigur Rós', '( )'],
  ['P!nk - So What.mp3', 'P!nk', 'So What'],
  ['311 - Amber.mp3', '311', 'Amber'],
  ['50 Cent - In da Club.mp3', '50 Cent', 'In da Club'],
  ['The Final.mp3', '', 'The Final'],
  ['Master of Puppets.mp3', '', 'Master of Puppets'],
  ['Final Countdown.mp3', '', 'Final Countdown'],
  ['Jay-Z - Izzo.mp3', 'Jay-Z', 'Izzo'],
  ['T.N.T.mp3', '', 'T.N.T'],
  ['final.wav', '', 'final'],
  ['Beyoncé - Déjà Vu.mp3', 'Beyoncé', 'Déjà Vu'],
  ['宇多田ヒカル - First Love.mp3', '宇多田ヒカル', 'First Love'],
  ['.mp3', '', 'Untitled'],
];

test('title and artist are read from odd names of files', () => {
  for (const [file, artist, name] of FILES) assert.deepEqual(songNameOf(file), { name, artist }, file);
});

test('tags come before the name of the file, unless they say nothing', () => {
  const cases: [string, string | null, string | null, string, string][] = [
    ['track01.mp3', 'Halo', 'Beyoncé', 'Beyoncé', 'Halo'],
    ['Artist - My Song.mp3', 'Track 1', 'Unknown Artist', 'Artist', 'My Song'],
    ['Artist - My Song.mp3', 'Untitled', null, 'Artist', 'My Song'],
    ['Artist - My Song.mp3', 'My Song', null, 'Artist', 'My Song'],
    ['Artist - Other Song.mp3', 'My Song', null, '', 'My Song'],
    ['x.mp3', 'Artist - My Song (Official Video)', null, 'Artist', 'My Song'],
    ['x.mp3', 'Artist - My Song', 'Artist', 'Artist', 'My Song'],
    ['Artist - My Song.mp3', null, 'The Artist', 'The Artist', 'My Song'],
    ['x.mp3', 'Halo (Acapella)', 'Various Artists', '', 'Halo (Acapella)'],
  ];
  for (const [file, title, tagged, artist, name] of cases)
    assert.deepEqual(songNameOf(file, { title, artist: tagged }), { name, artist }, `${file} ${title} ${tagged}`);
});

/** Pieces of odd names. */
const PIECE = fc.constantFrom(
  ...'aZ1é宇 -_.()[]%\u0000\ud800',
  ' - ',
  'final ',
  '(v2)',
  '01 ',
  'official video',
  '.mp3',
  '128 bpm',
);

test('any name of a file gives a name, in time', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40, unit: PIECE }), fc.option(fc.string()), (file, title) => {
      const { name, artist } = songNameOf(file, { title, artist: null });
      assert.ok(name !== '' && name.length <= 200 && artist.length <= 120);
    }),
  );
  const started = performance.now();
  songNameOf(`${'(final '.repeat(2_000)}${'- '.repeat(2_000)}${'v2 '.repeat(2_000)}.mp3`);
  assert.ok(performance.now() - started < 5_000);
});

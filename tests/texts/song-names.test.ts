/** Titles and artists from odd names of files, and from tags. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { songNameOf } from '../../music/names/song-name.ts';
import { startOwnTime } from '../support/own-time.ts';

/** Names of files whose words are joined, or have one case alone, and names with a spelling of their own. */
const SPELLINGS: [string, string, string][] = [
  ['neon-drive.mp3', '', 'Neon Drive'],
  ['neon_drive.mp3', '', 'Neon Drive'],
  ['neon__drive.mp3', 'Neon', 'Drive'],
  ['NEON DRIVE.mp3', '', 'Neon Drive'],
  ['NEON_DRIVE.wav', '', 'Neon Drive'],
  ['NEON-DRIVE.wav', '', 'Neon Drive'],
  ['01-neon-drive-final-master.wav', '', 'Neon Drive'],
  ['01_neon_drive_v2.wav', '', 'Neon Drive'],
  ['neon-drive-128bpm.wav', '', 'Neon Drive'],
  ['neon-drive (final).wav', '', 'neon-drive'],
  ['drive-into-the-night.flac', '', 'Drive Into the Night'],
  ['Paper-Kites-In-The-Sky.mp3', '', 'Paper Kites In The Sky'],
  ['the-examples--neon-drive.mp3', 'The Examples', 'Neon Drive'],
  ['the-examples_neon-drive.mp3', 'The Examples', 'Neon Drive'],
  ['daft_punk_-_get_lucky.mp3', 'Daft Punk', 'Get Lucky'],
  ['99-problems.mp3', '', '99 Problems'],
  ['lo-fi-beats.mp3', '', 'Lo-Fi Beats'],
  ['dj_kicks.mp3', '', 'DJ Kicks'],
  ['étude_op_3.mp3', '', 'Étude Op 3'],
  ['песня_о_море.mp3', '', 'Песня О Море'],
  ['THE EXAMPLES - BACK IN THE USSR.mp3', 'The Examples', 'Back in the USSR'],
  ['LCD SOUNDSYSTEM - ALL MY FRIENDS.mp3', 'LCD Soundsystem', 'All My Friends'],
  ['a-ha - Take On Me.mp3', 'a-ha', 'Take On Me'],
  ['a-ha.mp3', '', 'a-ha'],
  ['a-ha_-_take_on_me.mp3', 'a-ha', 'Take on Me'],
  ['AC-DC - Thunderstruck.mp3', 'AC-DC', 'Thunderstruck'],
  ['AC-DC.mp3', '', 'AC-DC'],
  ['Jay-Z.mp3', '', 'Jay-Z'],
  ['Spider-Man.mp3', '', 'Spider-Man'],
  ['Ob-La-Di.mp3', '', 'Ob-La-Di'],
  ['ABBA - SOS.mp3', 'ABBA', 'SOS'],
  ['ABBA - DANCING QUEEN.mp3', 'ABBA', 'Dancing Queen'],
  ['deadmau5 - strobe.mp3', 'deadmau5', 'strobe'],
  ['deadmau5_-_strobe.mp3', 'deadmau5', 'Strobe'],
  ['deadmau5.mp3', '', 'deadmau5'],
  ['k.d. lang - Constant Craving.mp3', 'k.d. lang', 'Constant Craving'],
  ['k.d._lang_-_constant_craving.mp3', 'k.d. Lang', 'Constant Craving'],
  ['will.i.am - #thatPOWER.mp3', 'will.i.am', '#thatPOWER'],
  ['everything i wanted.mp3', '', 'everything i wanted'],
  ['blink-182 - All the Small Things.mp3', 'blink-182', 'All the Small Things'],
  ['R.E.M. - Losing My Religion.mp3', 'R.E.M.', 'Losing My Religion'],
  ['R_E_M.mp3', '', 'R E M'],
  ['NeonDrive.mp3', '', 'NeonDrive'],
];

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
  ['artist_name_-_my_song.mp3', 'Artist Name', 'My Song'],
  ['daft_punk-around_the_world.mp3', 'Daft Punk', 'Around the World'],
  ['my_song_final_master_v3.wav', '', 'My Song'],
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
  ['01-the_beatles-come_together-2009_remaster.flac', 'The Beatles', 'Come Together'],
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

test('words that a name of a file joins or has in one case are written as titles, and stylised names stay', () => {
  for (const [file, artist, name] of SPELLINGS) assert.deepEqual(songNameOf(file), { name, artist }, file);
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
    ['neon-drive.mp3', 'neon-drive', 'THE EXAMPLES', 'THE EXAMPLES', 'neon-drive'],
    ['neon-drive.mp3', 'HUMBLE.', null, '', 'HUMBLE.'],
    ['x.flac', 'שלום עולם', 'أم كلثوم', 'أم كلثوم', 'שלום עולם'],
    ['x.mp3', '東京', '椎名林檎', '椎名林檎', '東京'],
    ['x.mp3', 'Мир', 'Кино', 'Кино', 'Мир'],
    ['Artist - My Song.mp3', '---', '?', 'Artist', 'My Song'],
    ['U2 - 40.mp3', '1', '112', '112', '40'],
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
  const ownTime = startOwnTime();
  songNameOf(`${'(final '.repeat(2_000)}${'- '.repeat(2_000)}${'v2 '.repeat(2_000)}.mp3`);
  assert.ok(ownTime() < 5_000);
});

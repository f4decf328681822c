import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import fc from 'fast-check';
import { readWishes } from '../../music/wishes/read-wishes.ts';
import { refusalOf, WHAT_CAN_BE_ASKED } from '../../music/wishes/refuse.ts';
import { Reading, type Wish, type WishSong } from '../../schema.ts';
import { FURTHER_PHRASINGS } from './further-phrasings.ts';
import { HELD_BACK_PHRASINGS } from './held-back-phrasings.ts';
import { LATER_PHRASINGS } from './later-phrasings.ts';
import { judge } from './score.ts';
import { SEEN_PHRASINGS } from './seen-phrasings.ts';
import { TYPED_PHRASINGS } from './typed-phrasings.ts';
import { UNSEEN_PHRASINGS } from './unseen-phrasings.ts';

const SONGS: readonly WishSong[] = [
  { song_id: 'a', name: 'Dreams', artist: 'Fleetwood Mac', has_vocals: true, bpm: 120, key: 'F major' },
  { song_id: 'b', name: 'Windowlicker', artist: 'Aphex Twin', has_vocals: false, bpm: 123, key: 'C minor' },
];
const read = (text: string, songs = SONGS): Reading => readWishes(text, songs);
const understood = (text: string, songs = SONGS): Wish[] => read(text, songs).understood;

for (const [name, table, least] of [
  ['seen', SEEN_PHRASINGS, 95],
  ['unseen', UNSEEN_PHRASINGS, 80],
  ['further', FURTHER_PHRASINGS, 60],
  ['typed', TYPED_PHRASINGS, 75],
  ['held back', HELD_BACK_PHRASINGS, 75],
  ['later', LATER_PHRASINGS, 70],
] as const)
  test(`of the ${name} phrasings at least ${least} are read whole, and none is read wrongly`, () => {
    const judged = table.map((phrasing) => ({ text: phrasing.text, ...judge(phrasing) }));
    const texts = (verdict: string): string[] =>
      judged.filter((each) => each.verdict === verdict).map(({ text }) => text);
    assert.deepEqual(texts('wrong'), []);
    assert.ok(texts('whole').length >= least, `only partly: ${texts('partly').join(' | ')}`);
  });

test('quantities of zero are quoted and not read as wishes', () => {
  const texts = [
    '0 bpm',
    'set the tempo to 0',
    '0 bpm faster',
    '0 seconds longer',
    'shorter by 0 s',
    '0 dB more bass',
    'turn up the vocals by 0.0 dB',
  ];
  for (const text of texts) assert.deepEqual(read(text), { understood: [], not_understood: [text] });
  assert.deepEqual(understood('more bass, 0 bpm'), [{ kind: 'level', change: 'more', stem: 'bass' }]);
});

test('negated, compared, limited and asked wishes are quoted and not read as wishes', () => {
  const texts = [
    "don't make it faster",
    "I don't want more bass",
    'not more bass',
    'no more bass than before',
    'faster or slower?',
    'why is the bass louder?',
    'is it longer?',
    'the vocals are louder than the drums',
    'the drums are louder',
    'more bass in the intro',
    'when she sings, more bass',
    'louder vocals except at the end',
    'more energy and less vocals in the chorus',
    'a part with more bass',
    'faster than Dreams',
    'at least 2 minutes',
    'between 1:30 and 2:00',
    'about 2-3 minutes',
    'twice as long as Dreams',
    'half of it without drums',
    'longer vocals',
    'drop the beat',
    'drop the bass',
    'more drums, i mean less drums',
    'Faster, scratch that',
    'put the vocals on Windowlicker',
    'Dreams instead of Windowlicker',
    'more bars',
    'more chorus',
    'swap the vocals',
  ];
  for (const text of texts) {
    assert.deepEqual(understood(text), [], text);
    assert.equal(read(text).not_understood.length, 1, text);
  }
});

test('requests are understood however they are worded, without apostrophes, and in polite questions', () => {
  const less = (stem: 'vocals' | 'drums' | 'bass'): Wish => ({ kind: 'level', change: 'less', stem });
  const CASES: [text: string, ...wishes: Wish[]][] = [
    ['i dont want any drums', { kind: 'without', stem: 'drums' }],
    ["I don't need the vocals", { kind: 'without', stem: 'vocals' }],
    ['vocals r too loud', less('vocals')],
    ['is it possible to have it in G minor?', { kind: 'key_exact', key: 'G minor' }],
    ['is there any chance of less bass', less('bass')],
    ['would it be possible to get fewer sections', { kind: 'sections', change: 'fewer' }],
    ['what if the beat came from Windowlicker', { kind: 'source', stem: 'drums', song_id: 'b' }],
    ["I'd rather have Dreams singing", { kind: 'source', stem: 'vocals', song_id: 'a' }],
    ['swap em', { kind: 'swap' }],
    ['swap who sings', { kind: 'swap' }],
    ['the drums are too loud imo', less('drums')],
    ['would love a longer version', { kind: 'length', change: 'longer' }],
    ['karaoke version', { kind: 'without', stem: 'vocals' }],
    ['bump the tempo to 126 bpm', { kind: 'tempo_exact', bpm: 126 }],
    ['the drums are drowning everything', less('drums')],
    ['more chill vibes', { kind: 'energy', change: 'less' }],
    ['mute the vocals of both songs', { kind: 'without', stem: 'vocals' }],
  ];
  for (const [text, ...wishes] of CASES) assert.deepEqual(read(text), { understood: wishes, not_understood: [] }, text);
  for (const text of ['is the bass too loud?', 'is there more bass?', 'use the drums of both songs'])
    assert.deepEqual(read(text).understood, [], text);
});

test('what a sentence takes back is no wish', () => {
  assert.deepEqual(read('Slower. More drums. Scratch that.'), {
    understood: [{ kind: 'tempo', change: 'slower' }],
    not_understood: ['More drums', 'Scratch that'],
  });
});

test('a part that is not understood is quoted as it was written, the other parts are understood', () => {
  assert.deepEqual(read('Please make it  FASTER; add some Trumpets, then less drums!'), {
    understood: [
      { kind: 'tempo', change: 'faster' },
      { kind: 'level', change: 'less', stem: 'drums' },
    ],
    not_understood: ['add some Trumpets'],
  });
});

test('polite words and praise are neither understood nor quoted', () => {
  for (const text of [
    '',
    '  ',
    '😀',
    'thanks!',
    'I love it',
    'Great job so far.',
    'keep everything else',
    'mix Dreams and Windowlicker',
  ])
    assert.deepEqual(read(text), { understood: [], not_understood: [] }, text);
});

test('the voice of a girl is that of the only song with a voice', () => {
  const sings = [{ kind: 'source', stem: 'vocals', song_id: 'a' }];
  assert.deepEqual(understood("use the girl's voice"), sings);
  const both = SONGS.map((song) => ({ ...song, has_vocals: true }));
  assert.deepEqual(read("use the girl's voice", both).understood, []);
  const unknown = SONGS.map(({ has_vocals: _, ...song }) => song);
  assert.deepEqual(read("use the girl's voice", unknown).understood, []);
});

test('before the songs are analysed, a text is refused only if no analysis could make it understood', () => {
  const unknown = SONGS.map(({ song_id, name, artist }) => ({ song_id, name, artist }));
  assert.deepEqual(refusalOf('paint it blue, and add a saxophone', unknown), {
    message: 'Nothing of this was understood',
    parts: ['paint it blue, and add a saxophone'],
    details: 'Not understood: "paint it blue, and add a saxophone".',
    hint: WHAT_CAN_BE_ASKED,
  });
  for (const text of [
    "use the girl's voice",
    "in Dreams' key",
    'at the tempo of Windowlicker',
    'thanks',
    'paint it blue, faster',
  ])
    assert.equal(refusalOf(text, unknown), undefined, text);
  assert.ok(WHAT_CAN_BE_ASKED.length <= 300);
});

test('wishes that exclude each other are quoted as contradictory, and the others are understood', () => {
  const CONTRARY: [text: string, ...quotes: string[]][] = [
    ['more bass but less bass', 'more bass but less bass'],
    ['louder vocals. Slower. No vocals at all', 'louder vocals', 'No vocals at all'],
    ['118 bpm and then 122 bpm', '118 bpm and then 122 bpm'],
    ['in A minor and in C minor', 'in A minor and in C minor'],
    ['a semitone higher, then a semitone lower', 'a semitone higher, then a semitone lower'],
    ['keep the tempo but faster', 'keep the tempo but faster'],
    ['start quietly and start loud', 'start quietly and start loud'],
    ['drums from Dreams and drums from Windowlicker', 'drums from Dreams and drums from Windowlicker'],
    ['1:30 and 2 minutes long', '1:30 and 2 minutes long'],
    ['more echo, no echo', 'more echo, no echo'],
  ];
  for (const [text, ...quotes] of CONTRARY) {
    const { not_understood, contradictory } = read(text);
    assert.deepEqual([not_understood, contradictory], [quotes, quotes], text);
  }
  assert.deepEqual(understood('louder vocals. Slower. No vocals at all'), [{ kind: 'tempo', change: 'slower' }]);
  const mixed = read('faster, more bass but less bass and paint it blue');
  assert.deepEqual(mixed.not_understood, ['more bass but less bass', 'paint it blue']);
  assert.deepEqual(mixed.contradictory, ['more bass but less bass']);
  for (const text of ['start quietly, end loud', 'less echo, no echo', 'more bass, less drums', 'longer, 2:30'])
    assert.equal(read(text).contradictory, undefined, text);
  assert.deepEqual(refusalOf('more bass but less bass', SONGS), {
    message: 'These wishes contradict each other',
    parts: ['more bass but less bass'],
    details: 'Contradictory: "more bass but less bass".',
    hint: 'Ask for one of them.',
  });
});

test('a title that is a word of wishes counts as a title only where it is used as one', () => {
  const songs = SONGS.map((song, i) => (i === 0 ? { ...song, name: 'Faster', artist: '' } : song));
  assert.deepEqual(understood('faster', songs), [{ kind: 'tempo', change: 'faster' }]);
  assert.deepEqual(understood('vocals from faster', songs), [{ kind: 'source', stem: 'vocals', song_id: 'a' }]);
  assert.deepEqual(understood('let Faster sing', songs), [{ kind: 'source', stem: 'vocals', song_id: 'a' }]);
});

test('a name that two songs share is not understood', () => {
  const songs = SONGS.map((song) => ({ ...song, artist: 'The Same' }));
  assert.deepEqual(read('let The Same sing', songs).understood, []);
});

test('what is said exactly replaces what is said in general', () => {
  assert.deepEqual(understood('too long, cut 20 seconds'), [{ kind: 'length', change: 'shorter', by_sec: 20 }]);
  assert.deepEqual(understood('faster, 128 bpm'), [{ kind: 'tempo_exact', bpm: 128 }]);
});

test('any text has a valid reading that quotes the text', () => {
  const word = fc.constantFrom(
    ...'more less bass drums vocals and , but then dreams windowlicker the of over with no 2 minutes length to at for'.split(
      ' ',
    ),
    ...'a bit and a half start end only faster length of echo or reverb on . please can you : - / 120 bpm in C# minor'.split(
      ' ',
    ),
  );
  const text = fc.oneof(
    fc.array(word, { maxLength: 40 }).map((words) => words.join(' ')),
    fc.string({ unit: 'grapheme', maxLength: 300 }),
  );
  fc.assert(
    fc.property(text, (each) => {
      const reading = read(each);
      assert.deepEqual(Reading.parse(reading), reading);
      for (const quote of reading.not_understood) assert.ok(each.replace(/\s+/g, ' ').includes(quote), quote);
    }),
    { numRuns: 300 },
  );
});

test('a first name of three letters counts where it is written as a name', () => {
  const songs = [
    { song_id: 'valerie', name: 'Valerie', artist: 'Amy Winehouse', has_vocals: true },
    { song_id: 'axel', name: 'Axel F', artist: 'Harold Faltermeyer', has_vocals: false },
  ];
  assert.deepEqual(understood('let Amy sing', songs), [{ kind: 'source', stem: 'vocals', song_id: 'valerie' }]);
  assert.deepEqual(read('more amy', songs), { understood: [], not_understood: ['more amy'] });
});

test('what is overpowering is too loud, unless it is praised or asked for', () => {
  assert.deepEqual(understood('the drums are overpowering'), [{ kind: 'level', change: 'less', stem: 'drums' }]);
  assert.deepEqual(read('I love that the drums are overpowering'), { understood: [], not_understood: [] });
  for (const text of [
    'the drums should be overpowering',
    'make the drums overpowering',
    'the drums are not overpowering',
  ])
    assert.deepEqual(read(text), { understood: [], not_understood: [text] });
});

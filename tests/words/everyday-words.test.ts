import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { readWishes } from '../../music/wishes/read-wishes.ts';
import type { Reading, Wish, WishSong } from '../../schema.ts';
import {
  again,
  atMost,
  backing,
  bpm,
  drop,
  edge,
  effect,
  energy,
  faster,
  inKey,
  key,
  less,
  longer,
  more,
  seconds,
  shorter,
  slower,
  source,
  swap,
  without,
} from './phrasing.ts';

const SONGS: readonly WishSong[] = [
  { song_id: 'hello', name: 'Hello', artist: 'Adele', has_vocals: true, bpm: 79, key: 'F minor' },
  { song_id: 'kit', name: 'kit drum loop', artist: '', has_vocals: false, bpm: 128, key: 'B minor' },
];
const read = (text: string): Reading => readWishes(text, SONGS);
const isRead = (text: string, ...wishes: Wish[]): void =>
  assert.deepEqual(read(text), { understood: wishes, not_understood: [] }, text);
const isQuoted = (text: string): void => assert.deepEqual(read(text), { understood: [], not_understood: [text] }, text);

test('`more loud` is louder, and `a bit slow` is a bit too slow', () => {
  isRead('make the drums more loud', more('drums'));
  isRead('the bass is a bit loud tbh', less('bass', 'little'));
  isRead("it's a little on the slow side", faster({ degree: 'little' }));
  isRead('vocals are kinda quiet', more('vocals'));
  isRead('quite a bit shorter', shorter({ degree: 'much' }));
  for (const text of ['the start is a bit slow', 'the drums are louder', 'it is slow']) isQuoted(text);
});

test('what a sentence that wishes says of the present is asked for', () => {
  isRead('I wish the vocals were louder', more('vocals'));
  isRead('it would be nice if the drums were quieter', less('drums'));
  isRead('what if we switched the two songs?', swap);
  isRead('it would be better if you turned the bass down', less('bass'));
  isRead('I would like that the bass is more strong', more('bass'));
});

test('wishes may follow each other without a word between them, if nothing is left over', () => {
  isRead('vocals louder drums quieter', more('vocals'), less('drums'));
  isRead('start quiet end loud', edge('start', 'quiet'), edge('end', 'loud'));
  for (const text of ['fade out slower', 'no drums for the first 10 seconds', 'vocals louder than drums'])
    isQuoted(text);
});

test('a pronoun stands for the part or the effect that the clause before names', () => {
  isRead('The drums are annoying, turn them down', less('drums'));
  isRead('I like the bass. Make it louder', more('bass'));
  isRead('vocals are a bit quiet so turn them up', more('vocals'));
  isRead('the echo is ugly, get rid of it', effect('off', 'echo'));
  assert.deepEqual(read('turn them down').understood, []);
  assert.deepEqual(read('I love the beat, but change it').understood, []);
});

test('a pronoun stands for the drop, the start and the end too, and a comparison alone goes on about what was named', () => {
  isRead('the drop takes ages, get to it sooner', drop('earlier'));
  isRead('the ending is boring, make it bigger', edge('end', 'loud'));
  isRead('too many effects, fewer please', effect('less'));
  isRead('the drums are great, more please', more('drums'));
});

test('an opinion beside a wish asks for nothing', () => {
  isRead('not feeling it, try again', again);
  isQuoted("I don't like it");
});

test('the height of a voice is no level', () => {
  for (const text of ['make the vocals higher', 'the vocals are too high']) isQuoted(text);
});

test('what a text says of how it is asks for nothing', () => {
  for (const text of [
    "there's no bass",
    'there are no drums',
    'it has no drums',
    'the end is so quiet',
    'the intro is loud',
  ])
    isQuoted(text);
  isRead('the ending is too quiet', edge('end', 'loud'));
  isRead('the intro is too loud', edge('start', 'quiet'));
  isRead('I want no drums', without('drums'));
});

test('an end that is too sudden fades; `end suddenly` is no fade', () => {
  isRead('it ends too suddenly', edge('end', 'fade'));
  isQuoted('end suddenly');
});

test('how much somebody likes it is no degree of a wish', () => {
  isRead('i like it a lot but the drums are too loud', less('drums'));
});

test('a name after thanks, and about before a quantity, are no wishes', () => {
  isRead('finish with a bang. Many thanks, Sue', edge('end', 'loud'));
  isRead('lose about 15 seconds', shorter({ by_sec: 15 }));
});

test('a reason and a purpose ask for nothing', () => {
  isRead('faster because my friends dance to it', faster());
  isRead('128 bpm so I can run to it', bpm(128));
  isRead('more energy for my workout', energy('more'));
  isRead('faster because the bass is too quiet', faster(), more('bass'));
  isQuoted('because I said so');
  assert.deepEqual(read('add a sax so I can dance').understood, []);
});

test('of wishes that say the same in more or less detail the last or the more exact one counts', () => {
  isRead('this is a bit boring, make it a lot livelier', energy('more', 'much'));
  isRead("it's too high for me, two semitones down", key(-2));
  isRead('it is too much long, 1 minute and half is good', seconds(90));
  assert.deepEqual(read('lower the tempo 5 bpm').understood, [{ kind: 'tempo', change: 'slower', by_bpm: 5 }]);
});

test('praise of an effect is no wish for more of it', () => {
  isRead('the reverb on the vocals is nice');
  isRead('I love the echo');
});

test('slips in words, and short names that a word beside them shows', () => {
  isRead('loder drums adn quiter vocals', more('drums'), less('vocals'));
  isRead('no bass w/o drums', without('bass'), without('drums'));
  isRead('kit plays the drums', ...source('kit', 'drums'));
});

test('length and tempo change in proportion to what they are', () => {
  isRead('raise the tempo by 5%', faster({ by_percent: 5 }));
  isRead('speed it up like 10 %', faster({ by_percent: 10 }));
  isRead('slow it down by five per cent', slower({ by_percent: 5 }));
  isRead('about 10% shorter please', shorter({ by_percent: 10 }));
  isRead('too fast, 10 percent slower', slower({ by_percent: 10 }));
  isRead('twice as long', longer({ by_percent: 100 }));
  isRead('cut it in half', shorter({ by_percent: 50 }));
  isRead('half the speed', slower({ by_percent: 50 }));
  isRead('1.25x speed', faster({ by_percent: 25 }));
  isRead('play at 80% of the speed', slower({ by_percent: 20 }));
  isRead('half a minute longer', longer({ by_sec: 30 }));
  assert.deepEqual(read('raise the tempo by 5').understood, [{ kind: 'tempo', change: 'faster', by_bpm: 5 }]);
});

test('no part is left of a hundred percent less, and percent of a level are not read', () => {
  for (const text of [
    '100% slower',
    '100% speed',
    'turn the bass down 30%',
    'drums at 50%',
    'half time',
    'make it 128 x',
  ])
    isQuoted(text);
});

test('`not so fast` asks for less of it, and `it is not so fast` may be praise', () => {
  isRead('not so fast', slower());
  isRead('not so slow please', faster());
  isRead('not so long', shorter());
  isQuoted('it is not so fast');
});

test('everything has one key', () => {
  isRead('put everything in D minor', inKey('D minor'));
  isRead('transpose everything down a tone', key(-2));
  isRead('raise both songs by a semitone', key(1));
  isQuoted('lower everything');
});

test('a singer is named by a song', () => {
  isRead('the guy from Hello should sing', ...source('hello', 'vocals'));
  isRead('the woman from Hello sings on the kit drum loop', ...source('hello', 'vocals'), ...backing('kit'));
  isQuoted('the one from Hello is better');
});

test('how much goes on is energy; songs the other way round are swapped', () => {
  isRead('more going on', energy('more'));
  isRead("there's too much going on", energy('less'));
  isQuoted('not enough going on at the start');
  isRead('put both tracks the other way around', swap);
  isRead('the songs the other way round please', swap);
});

test('what is liked as it is, is no wish', () => {
  isQuoted('I like that the bass is too loud');
  isQuoted('I love how the drums are too loud');
  isRead("I'd like the bass to be louder", more('bass'));
});

test('a limit of the length is no length, and other limits are quoted', () => {
  for (const text of [
    'under a minute',
    'not longer than 1 minute',
    "don't make it longer than 60 seconds",
    '1 minute or less',
  ])
    isRead(text, atMost(60));
  isRead('too long, at most 1:30 please', atMost(90));
  for (const text of ['no more than 120 bpm', 'at least 2 minutes']) isQuoted(text);
});

test('a number with a sign is quoted with it', () => {
  for (const text of ['-10% faster', '-6 dB drums', 'key +2']) isQuoted(text);
  isRead('- 10% faster', faster({ by_percent: 10 }));
});

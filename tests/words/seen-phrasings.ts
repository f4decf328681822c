/** A hundred phrasings with their expected readings. The rules of the reader were made with them. */
import type { WishSong } from '../../schema.ts';
import {
  atMost,
  again,
  backing,
  bpm,
  drop,
  edge,
  edgePart,
  effect,
  energy,
  faster,
  inKey,
  keep,
  key,
  less,
  longer,
  more,
  seconds,
  sectionCount,
  sections,
  shorter,
  slower,
  songLevel,
  source,
  swap,
  transitions,
  without,
  type Phrasing,
} from './phrasing.ts';

const DUO: readonly WishSong[] = [
  { song_id: 'hotel', name: 'Hotel California', artist: 'Eagles', has_vocals: true, bpm: 74, key: 'B minor' },
  { song_id: 'lose', name: 'Lose Yourself', artist: 'Eminem', has_vocals: true, bpm: 86, key: 'D minor' },
];
/** One song with a voice and one without. The name of the first is one letter from a word of the reader. */
const DREAMS: readonly WishSong[] = [
  { song_id: 'dreams', name: 'Dreams', artist: 'Fleetwood Mac', has_vocals: true, bpm: 120, key: 'F major' },
  { song_id: 'window', name: 'Windowlicker', artist: 'Aphex Twin', has_vocals: false, bpm: 123, key: 'C minor' },
];
const TRIO: readonly WishSong[] = [
  { song_id: 'toxic', name: 'Toxic', artist: 'Britney Spears', has_vocals: true, bpm: 143, key: 'C minor' },
  {
    song_id: 'funk',
    name: 'Uptown Funk',
    artist: 'Mark Ronson ft. Bruno Mars',
    has_vocals: true,
    bpm: 115,
    key: 'D minor',
  },
  { song_id: 'sand', name: 'Sandstorm', artist: 'Darude', has_vocals: false, bpm: 136, key: 'E minor' },
];
const FILES: readonly WishSong[] = [
  { song_id: 'jam', name: 'guitar_jam_final', artist: '', has_vocals: false, bpm: 98, key: 'E minor' },
  { song_id: 'sarah', name: '02 - Sarah - Long Way Down (v2)', artist: '', has_vocals: true, bpm: 100, key: 'A minor' },
];

export const SEEN_PHRASINGS: readonly Phrasing[] = [
  // Who sings and who plays.
  { songs: DUO, text: 'Eminem sings', wishes: source('lose', 'vocals') },
  {
    songs: DUO,
    text: "Eminem's rap over Hotel California",
    wishes: [...source('lose', 'vocals'), ...backing('hotel')],
  },
  { songs: DUO, text: 'please use the vocals of the second song', wishes: source('lose', 'vocals') },
  { songs: DUO, text: 'the beat should come from Lose Yourself', wishes: source('lose', 'drums') },
  {
    songs: DUO,
    text: 'keep the voice from hotel california but take the beat from eminem',
    wishes: [...source('hotel', 'vocals'), ...source('lose', 'drums')],
  },
  { songs: DUO, text: 'only the drums of song 1', wishes: source('hotel', 'drums') },
  {
    songs: DUO,
    text: 'song 2 sings and song 1 plays the bass',
    wishes: [...source('lose', 'vocals'), ...source('hotel', 'bass')],
  },
  { songs: DREAMS, text: "the woman's vocals", wishes: source('dreams', 'vocals') },
  {
    songs: DREAMS,
    text: 'I want her voice on top of the windowlicker beat',
    wishes: [...source('dreams', 'vocals'), ...source('window', 'drums')],
  },
  { songs: DREAMS, text: 'Dreams by Fleetwood Mac should be the singer', wishes: source('dreams', 'vocals') },
  {
    songs: DREAMS,
    text: 'Aphex Twin does the drums, the other one sings',
    wishes: [...source('window', 'drums'), ...source('dreams', 'vocals')],
  },
  { songs: TRIO, text: 'have Britney sing it', wishes: source('toxic', 'vocals') },
  { songs: TRIO, text: 'Bruno Mars on vocals please', wishes: source('funk', 'vocals') },
  { songs: TRIO, text: "use the first track's vocals", wishes: source('toxic', 'vocals') },
  { songs: TRIO, text: 'sandstorm for the drums and bass', wishes: source('sand', 'drums', 'bass') },
  { songs: TRIO, text: 'give me the music of Sandstorm', wishes: backing('sand') },
  {
    songs: TRIO,
    text: 'Sandstorm drums underneath Toxic vocals',
    wishes: [...source('sand', 'drums'), ...source('toxic', 'vocals')],
  },
  { songs: TRIO, text: "Bruno shouldn't sing", wishes: [without('vocals', 'funk')] },
  { songs: FILES, text: 'Sarah over the guitar jam', wishes: [...source('sarah', 'vocals'), ...backing('jam')] },
  { songs: FILES, text: 'take the bass from Long Way Down', wishes: source('sarah', 'bass') },
  { songs: DUO, text: 'swap the songs', wishes: [swap] },
  { songs: DUO, text: 'switch Eminem and the Eagles', wishes: [swap] },
  { songs: TRIO, text: 'can we have it the other way around?', wishes: [swap] },

  // Start and end.
  { songs: DUO, text: 'a quiet start', wishes: [edge('start', 'quiet')] },
  { songs: DUO, text: 'begin softly and end loud', wishes: [edge('start', 'quiet'), edge('end', 'loud')] },
  { songs: DUO, text: 'it should start with drums', wishes: [edgePart('start', 'with', { stem: 'drums' })] },
  { songs: DUO, text: 'start with vocals only', wishes: [edgePart('start', 'only', { stem: 'vocals' })] },
  { songs: DREAMS, text: 'end with only the voice', wishes: [edgePart('end', 'only', { stem: 'vocals' })] },
  { songs: DREAMS, text: 'let it fade out', wishes: [edge('end', 'fade')] },
  { songs: DREAMS, text: 'make it fade in', wishes: [edge('start', 'fade')] },
  { songs: DREAMS, text: 'Begin with Windowlicker', wishes: [edgePart('start', 'with', { song_id: 'window' })] },
  { songs: TRIO, text: 'end without bass', wishes: [edgePart('end', 'without', { stem: 'bass' })] },
  {
    songs: TRIO,
    text: "the intro should be just Britney's vocals",
    wishes: [edgePart('start', 'only', { stem: 'vocals', song_id: 'toxic' })],
  },
  { songs: TRIO, text: 'drums at the end', wishes: [edgePart('end', 'with', { stem: 'drums' })] },
  { songs: FILES, text: 'a big finish', wishes: [edge('end', 'loud')] },

  // The drop.
  { songs: DUO, text: 'earlier drop', wishes: [drop('earlier')] },
  { songs: DUO, text: 'make the drop come later', wishes: [drop('later')] },
  { songs: TRIO, text: 'the drop is too early', wishes: [drop('later')] },
  { songs: TRIO, text: 'move the drop forward a little', wishes: [drop('earlier')] },

  // Length.
  { songs: DUO, text: 'make it longer', wishes: [longer()] },
  { songs: DUO, text: 'can it be a bit shorter?', wishes: [shorter({ degree: 'little' })] },
  { songs: DUO, text: '75 seconds', wishes: [seconds(75)] },
  { songs: DUO, text: 'two and a half minutes', wishes: [seconds(150)] },
  { songs: DREAMS, text: 'it should last 3:05', wishes: [seconds(185)] },
  { songs: DREAMS, text: '1 min 40 in total', wishes: [seconds(100)] },
  { songs: DREAMS, text: 'cut 15 seconds', wishes: [shorter({ by_sec: 15 })] },
  { songs: TRIO, text: 'a minute longer', wishes: [longer({ by_sec: 60 })] },
  { songs: TRIO, text: 'this is much too long', wishes: [shorter({ degree: 'much' })] },
  { songs: TRIO, text: 'not longer than 2 minutes', wishes: [atMost(120)] },
  { songs: FILES, text: "that's too short", wishes: [longer()] },

  // Tempo.
  { songs: DUO, text: 'slightly slower', wishes: [slower({ degree: 'little' })] },
  { songs: DUO, text: 'speed it up', wishes: [faster()] },
  { songs: DUO, text: '95bpm', wishes: [bpm(95)] },
  { songs: DREAMS, text: 'set the tempo to 118', wishes: [bpm(118)] },
  { songs: DREAMS, text: "at Windowlicker's speed", wishes: [bpm(123)] },
  { songs: TRIO, text: "it's too fast for me", wishes: [slower()] },
  { songs: TRIO, text: 'raise the tempo by 8 bpm', wishes: [faster({ by_bpm: 8 })] },
  { songs: FILES, text: 'quicker!', wishes: [faster()] },

  // Key.
  { songs: DUO, text: 'a semitone higher', wishes: [key(1)] },
  { songs: DUO, text: 'transpose it down 3 semitones', wishes: [key(-3)] },
  { songs: DUO, text: 'make the key 2 semitones higher', wishes: [key(2)] },
  { songs: DUO, text: 'shift the pitch three semitones down', wishes: [key(-3)] },
  { songs: DREAMS, text: 'play it in b flat major', wishes: [inKey('Bb major')] },
  { songs: DREAMS, text: 'in the key of Dreams', wishes: [inKey('F major')] },
  { songs: TRIO, text: 'I would like it in C#m', wishes: [inKey('C# minor')] },
  { songs: FILES, text: 'lower the key a whole tone', wishes: [key(-2)] },

  // Levels.
  { songs: DUO, text: 'louder bass', wishes: [more('bass')] },
  { songs: DUO, text: 'the voices are too quiet', wishes: [more('vocals')] },
  { songs: DUO, text: 'turn the drums up a lot', wishes: [more('drums', 'much')] },
  { songs: DUO, text: 'not enough bass', wishes: [more('bass')] },
  { songs: DUO, text: 'make the beat of lose yourself louder', wishes: [more('drums', undefined, 'lose')] },
  { songs: DREAMS, text: 'the guitars are way too loud', wishes: [less('other', 'much')] },
  { songs: DREAMS, text: 'less drums and bass', wishes: [less('drums'), less('bass')] },
  { songs: DREAMS, text: 'a bit more of Dreams', wishes: [songLevel('more', 'dreams', 'little')] },
  { songs: DREAMS, text: 'vocals louder, drums quieter', wishes: [more('vocals'), less('drums')] },
  { songs: TRIO, text: 'lower the volume of Sandstorm', wishes: [songLevel('less', 'sand')] },
  { songs: TRIO, text: 'remove the drums from Toxic', wishes: [without('drums', 'toxic')] },
  { songs: TRIO, text: 'make it instrumental', wishes: [without('vocals')] },
  { songs: FILES, text: 'no melody', wishes: [without('other')] },

  // Effects, transitions, sections, energy, again.
  { songs: DUO, text: 'without any effects', wishes: [effect('off')] },
  { songs: DUO, text: 'a little less reverb', wishes: [effect('less', 'reverb')] },
  { songs: DREAMS, text: 'put an echo on the vocals', wishes: [effect('more', 'echo', { stem: 'vocals' })] },
  { songs: TRIO, text: 'turn off the stutter', wishes: [effect('off', 'stutter')] },
  { songs: DUO, text: 'the transitions are too abrupt', wishes: [transitions('smoother')] },
  { songs: TRIO, text: 'fewer sections', wishes: [sections('fewer')] },
  { songs: TRIO, text: 'use 6 sections', wishes: [sectionCount(6)] },
  { songs: DUO, text: 'calmer', wishes: [energy('less')] },
  { songs: DREAMS, text: 'needs more power', wishes: [energy('more')] },
  { songs: DREAMS, text: 'try again', wishes: [again] },
  { songs: TRIO, text: 'something different please', wishes: [again] },

  // Joined.
  {
    songs: DUO,
    text: 'More vocals, less drums, and a bit faster',
    wishes: [more('vocals'), less('drums'), faster({ degree: 'little' })],
  },
  {
    songs: FILES,
    text: 'Sarah on vocals, guitar jam on bass',
    wishes: [...source('sarah', 'vocals'), ...source('jam', 'bass')],
  },
  { songs: DUO, text: 'longer but keep the tempo', wishes: [longer(), keep('tempo')] },
  {
    songs: DREAMS,
    text: 'hey, nice one! start quiet, more drumss and then finish with vocals',
    wishes: [edge('start', 'quiet'), more('drums'), edgePart('end', 'with', { stem: 'vocals' })],
  },
  {
    songs: TRIO,
    text: "Britney's voice over the Sandstorm beat at 130 bpm, about 2 minutes",
    wishes: [...source('toxic', 'vocals'), ...source('sand', 'drums'), bpm(130), seconds(120)],
  },

  // Parts that nobody can do, and nonsense.
  {
    songs: DUO,
    text: 'make it sound underwater and sad like the end of a film',
    wishes: [],
    quoted: ['like the end of a film'],
  },
  {
    songs: DUO,
    text: 'more bass, but only in the second verse',
    wishes: [],
    quoted: ['more bass, but only in the second verse'],
  },
  {
    songs: DUO,
    text: 'In the chorus, less vocals. And slower.',
    wishes: [slower()],
    quoted: ['In the chorus, less vocals'],
  },
  { songs: DREAMS, text: 'add some trumpets, and no reverb', wishes: [effect('off', 'reverb')], quoted: ['trumpets'] },
  { songs: TRIO, text: "the girl's voice over Sandstorm", wishes: [], quoted: ["girl's voice over Sandstorm"] },
  { songs: TRIO, text: 'Let Shakira sing', wishes: [], quoted: ['Shakira sing'] },
  { songs: FILES, text: 'blah blah more bars', wishes: [], quoted: ['blah blah more bars'] },
];

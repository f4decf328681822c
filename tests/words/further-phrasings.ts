/** Sixty phrasings with their expected readings. They were written and committed before the reader was run on them. */
import type { WishSong } from '../../schema.ts';
import {
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

const POP: readonly WishSong[] = [
  { song_id: 'halo', name: 'Halo', artist: 'Beyoncé', has_vocals: true, bpm: 80, key: 'A major' },
  { song_id: 'clocks', name: 'Clocks', artist: 'Coldplay', has_vocals: true, bpm: 131, key: 'Eb major' },
];
/** One song with a voice and one without. */
const SOUL: readonly WishSong[] = [
  { song_id: 'valerie', name: 'Valerie', artist: 'Amy Winehouse', has_vocals: true, bpm: 106, key: 'Eb major' },
  { song_id: 'axel', name: 'Axel F', artist: 'Harold Faltermeyer', has_vocals: false, bpm: 118, key: 'F minor' },
];
const TRIO: readonly WishSong[] = [
  { song_id: 'billie', name: 'Billie Jean', artist: 'Michael Jackson', has_vocals: true, bpm: 117, key: 'F# minor' },
  { song_id: 'monday', name: 'Blue Monday', artist: 'New Order', has_vocals: true, bpm: 130, key: 'D minor' },
  { song_id: 'strobe', name: 'Strobe', artist: 'deadmau5', has_vocals: false, bpm: 128, key: 'B minor' },
];

export const FURTHER_PHRASINGS: readonly Phrasing[] = [
  // Who sings and who plays.
  { songs: POP, text: 'Beyoncé should do the singing', wishes: source('halo', 'vocals') },
  { songs: POP, text: 'vocals by the first song', wishes: source('halo', 'vocals') },
  {
    songs: SOUL,
    text: "I'd like the girl's voice on the Axel F beat",
    wishes: [...source('valerie', 'vocals'), ...source('axel', 'drums')],
  },
  {
    songs: TRIO,
    text: 'Michael Jackson sings while Strobe plays the bass',
    wishes: [...source('billie', 'vocals'), ...source('strobe', 'bass')],
  },
  {
    songs: TRIO,
    text: 'the drums come from Blue Monday and the bassline from Billie Jean',
    wishes: [...source('monday', 'drums'), ...source('billie', 'bass')],
  },
  { songs: SOUL, text: 'put Amy on top of Axel F', wishes: [...source('valerie', 'vocals'), ...backing('axel')] },
  { songs: POP, text: 'I want to hear Coldplay on drums', wishes: source('clocks', 'drums') },
  { songs: TRIO, text: 'song three plays the beat', wishes: source('strobe', 'drums') },
  { songs: POP, text: "don't use Beyoncé's voice", wishes: [without('vocals', 'halo')] },
  { songs: POP, text: 'bass from track two please', wishes: source('clocks', 'bass') },

  // Start and end.
  { songs: POP, text: 'start it off quietly', wishes: [edge('start', 'quiet')] },
  { songs: SOUL, text: 'open with just the drums', wishes: [edgePart('start', 'only', { stem: 'drums' })] },
  { songs: TRIO, text: 'finish with vocals alone', wishes: [edgePart('end', 'only', { stem: 'vocals' })] },
  {
    songs: POP,
    text: 'the intro should be quiet and the ending loud',
    wishes: [edge('start', 'quiet'), edge('end', 'loud')],
  },
  { songs: SOUL, text: 'no drums at the beginning', wishes: [edgePart('start', 'without', { stem: 'drums' })] },
  { songs: POP, text: 'fade it out at the end', wishes: [edge('end', 'fade')] },
  { songs: TRIO, text: 'kick it off with Blue Monday', wishes: [edgePart('start', 'with', { song_id: 'monday' })] },

  // The drop.
  { songs: SOUL, text: 'bring the drop in sooner', wishes: [drop('earlier')] },
  { songs: POP, text: 'delay the drop', wishes: [drop('later')] },

  // Length.
  { songs: POP, text: 'make it exactly 45 seconds', wishes: [seconds(45)] },
  { songs: SOUL, text: 'I need it to be 1:45', wishes: [seconds(105)] },
  { songs: TRIO, text: 'three minutes long please', wishes: [seconds(180)] },
  { songs: POP, text: 'half a minute shorter', wishes: [shorter({ by_sec: 30 })] },
  { songs: SOUL, text: 'extend it by 20 seconds', wishes: [longer({ by_sec: 20 })] },
  { songs: TRIO, text: "it's a little too long", wishes: [shorter({ degree: 'little' })] },
  { songs: TRIO, text: 'trim it down', wishes: [shorter()] },

  // Tempo.
  { songs: POP, text: 'pick up the pace', wishes: [faster()] },
  { songs: SOUL, text: 'slow it down a lot', wishes: [slower({ degree: 'much' })] },
  { songs: TRIO, text: '128 beats per minute', wishes: [bpm(128)] },
  { songs: POP, text: 'drop the tempo by 5 bpm', wishes: [slower({ by_bpm: 5 })] },
  { songs: SOUL, text: 'make the tempo 112 bpm', wishes: [bpm(112)] },

  // Key.
  { songs: POP, text: 'two semitones up', wishes: [key(2)] },
  { songs: TRIO, text: 'a whole step lower', wishes: [key(-2)] },
  { songs: SOUL, text: 'in F sharp minor please', wishes: [inKey('F# minor')] },
  { songs: TRIO, text: 'put it in the key of Blue Monday', wishes: [inKey('D minor')] },

  // Swapped songs.
  { songs: POP, text: 'exchange the two songs', wishes: [swap] },

  // Levels and absent stems.
  { songs: SOUL, text: 'can you bring the vocals up a little', wishes: [more('vocals', 'little')] },
  { songs: POP, text: 'turn down the drums of Clocks', wishes: [less('drums', undefined, 'clocks')] },
  { songs: TRIO, text: "I can't hear the bass", wishes: [more('bass')] },
  { songs: TRIO, text: 'more Strobe', wishes: [songLevel('more', 'strobe')] },
  { songs: SOUL, text: 'the drums are overpowering', wishes: [less('drums')] },
  { songs: POP, text: 'less guitar', wishes: [less('other')] },
  { songs: SOUL, text: 'lose the drums', wishes: [without('drums')] },
  { songs: TRIO, text: 'take out the vocals of Billie Jean', wishes: [without('vocals', 'billie')] },

  // Effects and transitions.
  { songs: POP, text: 'get rid of the reverb', wishes: [effect('off', 'reverb')] },
  { songs: SOUL, text: 'add delay to the vocals', wishes: [effect('more', 'echo', { stem: 'vocals' })] },
  { songs: TRIO, text: 'no fx at all', wishes: [effect('off')] },
  { songs: POP, text: 'I want softer transitions', wishes: [transitions('smoother')] },
  { songs: TRIO, text: 'harder cuts between the sections', wishes: [transitions('harder')] },

  // Sections, energy, again.
  { songs: POP, text: 'split it into 8 sections', wishes: [sectionCount(8)] },
  { songs: SOUL, text: 'not so many sections', wishes: [sections('fewer')] },
  { songs: SOUL, text: 'make it more chill', wishes: [energy('less')] },
  { songs: TRIO, text: 'pump up the energy', wishes: [energy('more')] },
  { songs: POP, text: 'give me another version', wishes: [again] },

  // Joined.
  {
    songs: TRIO,
    text: 'Faster, but with less bass, then end quietly',
    wishes: [faster(), less('bass'), edge('end', 'quiet')],
  },
  {
    songs: POP,
    text: 'Beyoncé sings over Clocks, no reverb and about a minute and a half',
    wishes: [...source('halo', 'vocals'), ...backing('clocks'), effect('off', 'reverb'), seconds(90)],
  },
  { songs: SOUL, text: 'shorter and louder vocals', wishes: [shorter(), more('vocals')] },

  // Parts that nobody can do.
  { songs: POP, text: 'make it sound like the eighties', wishes: [], quoted: ['like the eighties'] },
  {
    songs: TRIO,
    text: 'add a key change in the middle, and more drums',
    wishes: [more('drums')],
    quoted: ['key change in the middle'],
  },
  { songs: SOUL, text: 'louder chorus', wishes: [], quoted: ['louder chorus'] },
];

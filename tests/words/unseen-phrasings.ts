/**
 * A hundred phrasings with their expected readings, written before any rule of the reader, by the author of the rules, who did not
 * open them again until the rules were scored once: 96 were read whole, 4 in part, none wrongly. Since then they count as seen.
 */
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

const POP: readonly WishSong[] = [
  { song_id: 'adele', name: 'Rolling in the Deep', artist: 'Adele', has_vocals: true, bpm: 105, key: 'C minor' },
  { song_id: 'daft', name: 'One More Time', artist: 'Daft Punk', has_vocals: true, bpm: 123, key: 'D major' },
];
/** One song with a voice and one without. */
const HALO: readonly WishSong[] = [
  { song_id: 'halo', name: 'Halo', artist: 'Beyoncé', has_vocals: true, bpm: 80, key: 'A major' },
  { song_id: 'strobe', name: 'Strobe', artist: 'deadmau5', has_vocals: false, bpm: 128, key: 'B minor' },
];
const THREE: readonly WishSong[] = [
  { song_id: 'jean', name: 'Billie Jean', artist: 'Michael Jackson', has_vocals: true, bpm: 117, key: 'F# minor' },
  { song_id: 'kanye', name: 'Stronger', artist: 'Kanye West', has_vocals: true, bpm: 104, key: 'Eb minor' },
  { song_id: 'train', name: 'Trans-Europe Express', artist: 'Kraftwerk', has_vocals: false, bpm: 112, key: 'C minor' },
];
/** Files of the user's own: no artist, and a name that is hardly one. */
const OWN: readonly WishSong[] = [
  { song_id: 'lena', name: 'Morning Coffee (demo)', artist: 'Lena K', has_vocals: true, bpm: 92, key: 'G major' },
  { song_id: 'beat', name: 'beat_140_dark', artist: '', has_vocals: false, bpm: 140, key: 'F minor' },
];

export const UNSEEN_PHRASINGS: readonly Phrasing[] = [
  // Who sings and who plays.
  {
    songs: POP,
    text: 'I want Adele singing over the Daft Punk beat',
    wishes: [...source('adele', 'vocals'), ...source('daft', 'drums')],
  },
  { songs: POP, text: "use adele's voice", wishes: source('adele', 'vocals') },
  { songs: POP, text: 'let the first song do the singing please', wishes: source('adele', 'vocals') },
  {
    songs: POP,
    text: 'vocals from Rolling in the Deep, drums and bass from One More Time',
    wishes: [...source('adele', 'vocals'), ...source('daft', 'drums', 'bass')],
  },
  {
    songs: POP,
    text: 'put adeles vocals on top of the instrumental of one more time',
    wishes: [...source('adele', 'vocals'), ...backing('daft')],
  },
  { songs: HALO, text: "can you use the girl's voice", wishes: source('halo', 'vocals') },
  {
    songs: HALO,
    text: 'Beyonce on vocals, Strobe for the beat',
    wishes: [...source('halo', 'vocals'), ...source('strobe', 'drums')],
  },
  {
    songs: HALO,
    text: 'halo over strobe',
    wishes: [...source('halo', 'vocals'), ...backing('strobe')],
  },
  {
    songs: THREE,
    text: 'MJ should sing',
    wishes: [],
    quoted: ['MJ should sing'],
  },
  {
    songs: THREE,
    text: 'Michael Jackson should sing and Kanye should not',
    wishes: [...source('jean', 'vocals'), without('vocals', 'kanye')],
  },
  { songs: THREE, text: 'I only want to hear Kanye rapping', wishes: source('kanye', 'vocals') },
  {
    songs: THREE,
    text: 'Take the bass line of Billie Jean and the drums of song 3',
    wishes: [...source('jean', 'bass'), ...source('train', 'drums')],
  },
  { songs: THREE, text: 'Kraftwerk plays the beat', wishes: source('train', 'drums') },
  { songs: OWN, text: 'let Lena sing', wishes: source('lena', 'vocals') },
  {
    songs: OWN,
    text: 'my beat_140_dark under her voice',
    wishes: [...backing('beat'), ...source('lena', 'vocals')],
  },
  { songs: POP, text: 'the second track has to sing', wishes: source('daft', 'vocals') },
  { songs: POP, text: 'swap them around', wishes: [swap] },
  { songs: POP, text: 'Could you please swap the two songs?', wishes: [swap] },
  { songs: POP, text: 'do it the other way round', wishes: [swap] },
  { songs: POP, text: 'the vocalist should be Adele', wishes: source('adele', 'vocals') },

  // Start and end.
  { songs: POP, text: 'start quietly', wishes: [edge('start', 'quiet')] },
  {
    songs: POP,
    text: 'Start with just the vocals and then bring in the drums',
    wishes: [edgePart('start', 'only', { stem: 'vocals' })],
    quoted: ['bring in the drums'],
  },
  { songs: POP, text: 'begin with drums only', wishes: [edgePart('start', 'only', { stem: 'drums' })] },
  { songs: POP, text: 'fade out at the end', wishes: [edge('end', 'fade')] },
  {
    songs: HALO,
    text: "open with Beyoncé's voice all alone",
    wishes: [edgePart('start', 'only', { stem: 'vocals', song_id: 'halo' })],
  },
  { songs: HALO, text: 'i want it to end on the drums', wishes: [edgePart('end', 'with', { stem: 'drums' })] },
  { songs: THREE, text: 'Start with Billie Jean', wishes: [edgePart('start', 'with', { song_id: 'jean' })] },
  { songs: THREE, text: 'no drums in the intro', wishes: [edgePart('start', 'without', { stem: 'drums' })] },
  { songs: POP, text: 'a soft ending would be nice', wishes: [edge('end', 'quiet')] },
  { songs: POP, text: 'finish with a bang', wishes: [edge('end', 'loud')] },

  // The drop.
  { songs: POP, text: 'the drop comes too late', wishes: [drop('earlier')] },
  { songs: POP, text: 'can the drop come a bit sooner', wishes: [drop('earlier')] },
  { songs: THREE, text: 'drop later', wishes: [drop('later')] },
  { songs: HALO, text: 'get to the drop faster!!', wishes: [drop('earlier')] },

  // Length.
  { songs: POP, text: 'make it 2:30', wishes: [seconds(150)] },
  { songs: POP, text: 'about three minutes long', wishes: [seconds(180)] },
  { songs: POP, text: 'exactly 90 secs pls', wishes: [seconds(90)] },
  { songs: POP, text: 'a minute and a half is enough', wishes: [seconds(90)] },
  { songs: HALO, text: 'too long', wishes: [shorter()] },
  { songs: HALO, text: 'its way too short', wishes: [longer({ degree: 'much' })] },
  { songs: THREE, text: 'cut it down to 1:45', wishes: [seconds(105)] },
  { songs: THREE, text: '20 seconds longer', wishes: [longer({ by_sec: 20 })] },
  { songs: OWN, text: 'a little longer', wishes: [longer({ degree: 'little' })] },
  { songs: OWN, text: '2 mins max', wishes: [atMost(120)] },

  // Tempo.
  { songs: POP, text: 'a tiny bit fatser', wishes: [faster({ degree: 'little' })] },
  { songs: POP, text: 'slow it down', wishes: [slower()] },
  { songs: POP, text: '128 BPM please', wishes: [bpm(128)] },
  { songs: HALO, text: 'use the tempo of strobe', wishes: [bpm(128)] },
  { songs: HALO, text: 'at 100 beats per minute', wishes: [bpm(100)] },
  { songs: THREE, text: '5 bpm slower', wishes: [slower({ by_bpm: 5 })] },
  { songs: THREE, text: 'way faster', wishes: [faster({ degree: 'much' })] },
  { songs: OWN, text: 'the tempo is too high', wishes: [slower()] },

  // Key.
  { songs: POP, text: 'in D minor', wishes: [inKey('D minor')] },
  { songs: POP, text: 'change the key to F sharp minor', wishes: [inKey('F# minor')] },
  { songs: POP, text: 'two semitones up', wishes: [key(2)] },
  { songs: HALO, text: 'pitch it down a semitone', wishes: [key(-1)] },
  { songs: HALO, text: "in Halo's key", wishes: [inKey('A major')] },
  { songs: THREE, text: 'Bb major would be better', wishes: [inKey('Bb major')] },

  // Levels.
  { songs: POP, text: 'more bass', wishes: [more('bass')] },
  { songs: POP, text: "I can't hear the vocals", wishes: [more('vocals')] },
  { songs: POP, text: 'the drums are too loud', wishes: [less('drums')] },
  { songs: POP, text: 'turn down the vocls a bit', wishes: [less('vocals', 'little')] },
  { songs: POP, text: "more of Adele's voice", wishes: [more('vocals', undefined, 'adele')] },
  { songs: HALO, text: 'much louder drums', wishes: [more('drums', 'much')] },
  { songs: HALO, text: 'less strobe more halo', wishes: [songLevel('less', 'strobe'), songLevel('more', 'halo')] },
  { songs: HALO, text: 'bring up the synths', wishes: [more('other')] },
  { songs: THREE, text: 'louder vocals and bass', wishes: [more('vocals'), more('bass')] },
  { songs: THREE, text: 'no bass from Stronger', wishes: [without('bass', 'kanye')] },
  { songs: THREE, text: 'instrumental version please', wishes: [without('vocals')] },
  { songs: THREE, text: "Kanye's voice up a bit", wishes: [more('vocals', 'little', 'kanye')] },
  { songs: OWN, text: 'take out the drums', wishes: [without('drums')] },
  { songs: OWN, text: 'the beat should be a lot quieter', wishes: [less('drums', 'much')] },

  // Effects, transitions, sections, energy, again.
  { songs: POP, text: 'no effects', wishes: [effect('off')] },
  { songs: POP, text: 'add some reverb to the voice', wishes: [effect('more', 'reverb', { stem: 'vocals' })] },
  { songs: POP, text: 'too much echo', wishes: [effect('less', 'echo')] },
  { songs: HALO, text: 'get rid of that pumping', wishes: [effect('off', 'sidechain')] },
  { songs: POP, text: 'smoother transitions', wishes: [transitions('smoother')] },
  { songs: POP, text: 'hard cuts between the parts', wishes: [transitions('harder')] },
  { songs: THREE, text: 'more sections', wishes: [sections('more')] },
  { songs: THREE, text: 'only five sections', wishes: [sectionCount(5)] },
  { songs: POP, text: 'more enregy', wishes: [energy('more')] },
  { songs: POP, text: 'I need it to be more chilled', wishes: [energy('less')] },
  { songs: HALO, text: 'a lot more energetic', wishes: [energy('more', 'much')] },
  { songs: HALO, text: 'same again but different', wishes: [again] },
  { songs: POP, text: 'give me another version', wishes: [again] },

  // Joined.
  { songs: POP, text: 'more bass and a bit slower', wishes: [more('bass'), slower({ degree: 'little' })] },
  {
    songs: POP,
    text: 'longer, with less drums and no effects',
    wishes: [longer(), less('drums'), effect('off')],
  },
  { songs: HALO, text: 'same tempo but more vocals', wishes: [keep('tempo'), more('vocals')] },
  {
    songs: HALO,
    text: 'Start with the vocals, then drop earlier, and end quiet',
    wishes: [edgePart('start', 'with', { stem: 'vocals' }), drop('earlier'), edge('end', 'quiet')],
  },
  {
    songs: THREE,
    text: 'Hi! Love it, but could you make it faster and calmer? Thanks',
    wishes: [faster(), energy('less')],
  },

  // Parts that nobody can do, and nonsense.
  { songs: HALO, text: 'make it sound like Daft Punk', wishes: [], quoted: ['sound like Daft Punk'] },
  { songs: POP, text: 'Adele should sing in Spanish', wishes: [], quoted: ['sing in Spanish'] },
  { songs: POP, text: 'add a saxophone and more drums', wishes: [more('drums')], quoted: ['saxophone'] },
  { songs: POP, text: '120 bpm but with a dubstep drop', wishes: [bpm(120)], quoted: ['dubstep drop'] },
  { songs: HALO, text: 'more bass in the chorus', wishes: [], quoted: ['more bass in the chorus'] },
  {
    songs: THREE,
    text: 'shorter and change the lyrics to be about my dog',
    wishes: [shorter()],
    quoted: ['change the lyrics'],
  },
  { songs: THREE, text: 'Use Rihanna for the vocals', wishes: [], quoted: ['Rihanna'] },
  { songs: THREE, text: "use the girl's voice", wishes: [], quoted: ["girl's voice"] },
  { songs: OWN, text: 'what is the weather like', wishes: [], quoted: ['what is the weather like'] },
  { songs: OWN, text: 'asdf qwer', wishes: [], quoted: ['asdf qwer'] },
];

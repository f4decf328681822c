/**
 * Styles of the generated songs. Patterns are rows of steps that divide a bar evenly into any number of steps; `-` is a rest.
 * Drums: `x` accent, `o` hit, `.` ghost note. Bass: `r` root, `3` third, `5` fifth, `8` octave, `w` a step towards the next root.
 * Chords: `c` chord, `s` short chord, `a` the next single note of the chord.
 */

/** Patterns of the drums. */
export type Kit = Partial<
  Record<
    'kick' | 'snare' | 'rim' | 'clap' | 'hat' | 'open' | 'pedal' | 'ride' | 'shaker' | 'tambourine' | 'tom',
    string
  >
>;

/** A style. Ranges and lists are random choices. */
export type Style = {
  name: string;
  bpm: readonly [number, number];
  meter: 3 | 4;
  drums: readonly Kit[];
  bass: readonly string[];
  chords: readonly string[];
  /** General MIDI programs. */
  programs: { bass: readonly number[]; chords: readonly number[]; pad: readonly number[] | null };
  /** Position of the second of two eighths (or sixteenths) in their duration: 0.5 is straight, 0.667 a triplet. */
  swing?: { of: 8 | 16; at: readonly [number, number] };
  /** The kick ducks chords and pad. */
  sidechain?: boolean;
  /** The tempo drifts more often than in other styles. */
  live?: boolean;
};

const [PIANO, EPIANO, ORGAN, NYLON, STEEL, CLEAN, DRIVE] = [0, 4, 16, 24, 25, 27, 29];
const [UPRIGHT, FINGER, PICK, FRETLESS, SLAP, SYNTH_A, SYNTH_B] = [32, 33, 34, 35, 36, 38, 39];
const [STRINGS, SLOW_STRINGS, CHOIR, SAW, WARM, POLYSYNTH, SWEEP] = [48, 49, 52, 81, 89, 90, 95];

/** All styles. */
export const STYLES: readonly Style[] = [
  {
    name: 'rock',
    bpm: [100, 165],
    meter: 4,
    drums: [
      { kick: 'x-------x-o-----', snare: '----x-------x---', hat: 'o-o-o-o-o-o-o-o-' },
      { kick: 'x-----o-x-------', snare: '----x-------x--.', ride: 'o---o---o---o---' },
    ],
    bass: ['rrrrrrrr', 'r-rr-rr5'],
    chords: ['c-------c-c-----', 'c---c---c---c---'],
    programs: { bass: [PICK, FINGER], chords: [CLEAN, DRIVE], pad: [ORGAN] },
  },
  {
    name: 'house',
    bpm: [118, 130],
    meter: 4,
    drums: [
      { kick: 'x---x---x---x---', clap: '----x-------x---', open: '--o---o---o---o-', hat: '-.-.-.-.-.-.-.-.' },
      { kick: 'x---x---x---x---', clap: '----x-------x--.', open: '--x---x---x---x-' },
    ],
    bass: ['-r-r-r-r', '--r-rr--r-8---r-'],
    chords: ['s--s--s---s--s--', '--s---s---s---s-'],
    programs: { bass: [SYNTH_A, SYNTH_B], chords: [PIANO, POLYSYNTH], pad: [WARM] },
    swing: { of: 16, at: [0.5, 0.57] },
    sidechain: true,
  },
  {
    name: 'drum and bass',
    bpm: [165, 175],
    meter: 4,
    drums: [
      { kick: 'x---------x-----', snare: '----x-------x---', hat: 'o-o-o-o-o-o-o-o-' },
      { kick: 'x-----o---x-----', snare: '----x--.-.--x---', ride: 'o---o---o---o---', hat: '--o---o---o---o-' },
    ],
    bass: ['r-----r-', 'r---5---'],
    chords: ['c---------------', 'a-a-a-a-a-a-a-a-'],
    programs: { bass: [SYNTH_A, SYNTH_B], chords: [EPIANO, POLYSYNTH], pad: [SWEEP, WARM] },
  },
  {
    name: 'trap',
    bpm: [126, 150],
    meter: 4,
    drums: [
      { kick: 'x-----o-------o-', snare: '--------x-------', hat: 'o-o-o-o-o-o-ooo-' },
      { kick: 'x---------o-----', clap: '--------x-------', hat: 'o-o-ooo-o-o-o-oo' },
    ],
    bass: ['r-----r-', 'r-------'],
    chords: ['a-a-a-a-a-a-a-a-', 'c-------c-------'],
    programs: { bass: [SYNTH_B, SYNTH_A], chords: [PIANO, NYLON], pad: [CHOIR, WARM] },
  },
  {
    name: 'boom bap',
    bpm: [80, 98],
    meter: 4,
    drums: [
      { kick: 'x------o--o-----', snare: '----x-------x---', hat: 'o-o-o-o-o-o-o-o-' },
      { kick: 'x-o----o-------o', snare: '----x--.----x---', hat: 'o-ooo-o-o-ooo-o-' },
    ],
    bass: ['r--r--5-r-------', 'r-----r--5--8---'],
    chords: ['c---------c-----', 'c--c------c-----'],
    programs: { bass: [UPRIGHT, FINGER], chords: [EPIANO, PIANO], pad: null },
    swing: { of: 16, at: [0.54, 0.62] },
  },
  {
    name: 'ballad',
    bpm: [60, 80],
    meter: 4,
    drums: [
      { kick: 'x---------o-----', snare: '----x-------x---', hat: 'o-o-o-o-o-o-o-o-' },
      { kick: 'x-------o-------', rim: '----x-------x---', ride: 'o---o---o---o---' },
    ],
    bass: ['r-------', 'r-----5-'],
    chords: ['a-a-a-a-', 'c---c---'],
    programs: { bass: [FINGER, FRETLESS], chords: [PIANO, EPIANO], pad: [STRINGS, SLOW_STRINGS] },
    live: true,
  },
  {
    name: 'funk',
    bpm: [95, 118],
    meter: 4,
    drums: [
      { kick: 'x-o----o--o--o--', snare: '----x--.-.--x--.', hat: 'oooooooooooooooo' },
      { kick: 'x-----o---x--o--', snare: '----x--.----x-.-', hat: 'o.o.o.o.o.o.o.o.', open: '--------------o-' },
    ],
    bass: ['r--r--8-r-5--8--', 'r-r---8---r-5-8-'],
    chords: ['--s---s--s----s-', 's--s--s---s-s---'],
    programs: { bass: [SLAP, FINGER], chords: [CLEAN, EPIANO], pad: [ORGAN] },
    swing: { of: 16, at: [0.5, 0.56] },
  },
  {
    name: 'reggae',
    bpm: [66, 84],
    meter: 4,
    drums: [
      { kick: '----x-------x---', rim: '----x-------x---', hat: 'o-o-o-o-o-o-o-o-' },
      { kick: 'x---x---x---x---', snare: '----o-------x---', hat: 'o-o-o-o-o-o-o-o-' },
    ],
    bass: ['r---r-5-', 'r-3-5-r-'],
    chords: ['--s---s---s---s-', '--ss--ss--ss--ss'],
    programs: { bass: [FINGER, FRETLESS], chords: [CLEAN, ORGAN], pad: null },
  },
  {
    name: 'disco',
    bpm: [108, 126],
    meter: 4,
    drums: [
      { kick: 'x---x---x---x---', snare: '----x-------x---', open: '--o---o---o---o-', hat: 'o---o---o---o---' },
      { kick: 'x---x---x---x---', clap: '----x-------x---', hat: 'o.o.o.o.o.o.o.o.' },
    ],
    bass: ['r8r8r8r8', 'r-8-r8-r'],
    chords: ['s-s---s-s-s---s-', '--s---s---s---s-'],
    programs: { bass: [FINGER, PICK], chords: [CLEAN, PIANO], pad: [STRINGS] },
  },
  {
    name: 'swing',
    bpm: [118, 170],
    meter: 4,
    drums: [
      { ride: 'o-ooo-oo', pedal: '--x---x-', kick: 'o-------' },
      { ride: 'o-ooo-oo', pedal: '--x---x-', snare: '---.----', kick: 'o---o---' },
    ],
    bass: ['r353', 'r35w'],
    chords: ['c--s----', '---s--c-'],
    programs: { bass: [UPRIGHT], chords: [PIANO, CLEAN], pad: null },
    swing: { of: 8, at: [0.6, 0.667] },
    live: true,
  },
  {
    name: 'waltz',
    bpm: [95, 165],
    meter: 3,
    drums: [
      { kick: 'x-----------', snare: '----o---o---', hat: 'o---o---o---' },
      { kick: 'x-----------', snare: '--------x---', hat: 'o-o-o-o-o-o-' },
    ],
    bass: ['r--', 'r-5'],
    chords: ['-ss', 'c-c'],
    programs: { bass: [UPRIGHT, FINGER], chords: [PIANO, STEEL], pad: [STRINGS] },
    live: true,
  },
  {
    name: 'slow three',
    bpm: [76, 104],
    meter: 3,
    drums: [
      { kick: 'x-----o-----', snare: '--------x---', ride: 'o-o-o-o-o-o-' },
      { kick: 'x-----------', rim: '----o---o---', hat: 'o-o-o-o-o-o-' },
    ],
    bass: ['r-----', 'r---5-'],
    chords: ['aaaaaa', 'c-----'],
    programs: { bass: [FINGER, FRETLESS], chords: [EPIANO, NYLON], pad: [SLOW_STRINGS] },
  },
  {
    name: 'bossa',
    bpm: [110, 136],
    meter: 4,
    drums: [
      { kick: 'x-----o-x-----o-', rim: 'x-----x-----x---', hat: 'o-o-o-o-o-o-o-o-' },
      { kick: 'x-----o-x-----o-', rim: '----x-----x-----', shaker: 'o.o.o.o.o.o.o.o.' },
    ],
    bass: ['r--55--5', 'r--5r--5'],
    chords: ['s-----s-----s---', 's---s-----s---s-'],
    programs: { bass: [UPRIGHT, FINGER], chords: [NYLON, EPIANO], pad: null },
  },
  {
    name: 'folk',
    bpm: [84, 126],
    meter: 4,
    drums: [
      { tambourine: '----o-------o---', shaker: 'o-o-o-o-o-o-o-o-' },
      { kick: 'x-------x-------', tambourine: '----x-------x---' },
    ],
    bass: ['r---5---', 'r--r5---'],
    chords: ['c---c-c---c-c-c-', 'a-a-a-a-a-a-a-a-'],
    programs: { bass: [UPRIGHT, FINGER], chords: [STEEL, NYLON], pad: null },
    live: true,
  },
  {
    name: 'shuffle',
    bpm: [84, 132],
    meter: 4,
    drums: [
      { kick: 'x---x---', snare: '--x---x-', hat: 'oooooooo' },
      { kick: 'x--ox---', snare: '--x---x-', ride: 'o-ooo-oo' },
    ],
    bass: ['rr55rr55', 'r358'],
    chords: ['c-c-c-c-', '-s-s-s-s'],
    programs: { bass: [FINGER, PICK], chords: [CLEAN, PIANO], pad: [ORGAN] },
    swing: { of: 8, at: [0.6, 0.667] },
  },
  {
    name: 'synth pop',
    bpm: [98, 128],
    meter: 4,
    drums: [
      { kick: 'x-------x-------', snare: '----x-------x---', hat: 'o-o-o-o-o-o-o-o-' },
      { kick: 'x---x---x---x---', snare: '----x-------x---', hat: '--o---o---o---o-' },
    ],
    bass: ['rrrrrrrrrrrrrrrr', 'r-rr-rr-r-rr-r8-'],
    chords: ['aaaaaaaaaaaaaaaa', 'c-----c-----c---'],
    programs: { bass: [SYNTH_A, SYNTH_B], chords: [SAW, POLYSYNTH], pad: [WARM, SWEEP] },
    sidechain: true,
  },
  {
    name: 'country',
    bpm: [92, 124],
    meter: 4,
    drums: [
      { kick: 'x-------x-------', snare: '..x...x...x...x.' },
      { kick: 'x-------x-------', snare: '----x-------x---', hat: 'o-o-o-o-o-o-o-o-' },
    ],
    bass: ['r-5-', 'r-5w'],
    chords: ['-s-s', 'c-s-c-s-'],
    programs: { bass: [UPRIGHT, FINGER], chords: [STEEL, CLEAN], pad: null },
  },
  {
    name: 'soul',
    bpm: [64, 92],
    meter: 4,
    drums: [
      { kick: 'x--o------o-----', snare: '----x-------x---', hat: 'oooooooooooooooo' },
      { kick: 'x-----o-o-------', rim: '----x-------x---', hat: 'o-o-o-o-o-o-o-o-' },
    ],
    bass: ['r-----r-5-------', 'r--r----5--8----'],
    chords: ['c---c---c---c---', 'c-----c---------'],
    programs: { bass: [FINGER, FRETLESS], chords: [EPIANO, ORGAN], pad: [STRINGS] },
  },
  {
    name: 'breakbeat',
    bpm: [104, 136],
    meter: 4,
    drums: [
      { kick: 'x-x-------x--x--', snare: '----x--.-.--x---', hat: 'o-o-o-o-o-o-o-o-' },
      { kick: 'x--x--x---x-----', snare: '----x-------x--o', ride: 'o---o---o---o---' },
    ],
    bass: ['r--r--r-r--r-8--', 'r-----8---r-----'],
    chords: ['c-----c-----c---', 's--s--s--s--s---'],
    programs: { bass: [SYNTH_A, PICK], chords: [ORGAN, POLYSYNTH], pad: [SWEEP] },
  },
  {
    name: 'trance',
    bpm: [130, 146],
    meter: 4,
    drums: [
      { kick: 'x---x---x---x---', open: '--x---x---x---x-', clap: '----o-------o---' },
      { kick: 'x---x---x---x---', open: '--o---o---o---o-', hat: 'oooooooooooooooo' },
    ],
    bass: ['-rrr-rrr-rrr-rrr', '--r---r---r---r-'],
    chords: ['a-aa-aa-a-aa-aa-', 's--s--s--s--s-s-'],
    programs: { bass: [SYNTH_A, SYNTH_B], chords: [SAW, POLYSYNTH], pad: [WARM, SWEEP] },
    sidechain: true,
  },
];

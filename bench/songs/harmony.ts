/** Keys and chord progressions of the generated songs. */
import type { SeededRandom } from './random.ts';

/** Mode of a key. */
export type Mode = 'major' | 'minor';
const SCALES = { major: [0, 2, 4, 5, 7, 9, 11], minor: [0, 2, 3, 5, 7, 8, 10] } as const;

/** Scale degrees of the chords, one per bar (0 is the tonic). All lead to the tonic; some start elsewhere. */
const PROGRESSIONS: Record<Mode, readonly (readonly number[])[]> = {
  major: [
    [0, 4, 5, 3],
    [5, 3, 0, 4],
    [3, 0, 4, 5],
    [0, 5, 3, 4],
    [0, 3, 4, 3],
    [1, 4, 0, 0],
    [0, 2, 3, 4],
    [0, 0, 3, 3],
    [0, 3, 0, 4],
  ],
  minor: [
    [0, 5, 2, 6],
    [0, 3, 6, 2],
    [5, 6, 0, 0],
    [0, 6, 5, 4],
    [3, 0, 4, 0],
    [0, 0, 5, 6],
    [0, 3, 4, 0],
  ],
};

/** The key of a song, and its notes and chords. */
export class Harmony {
  /** Pitch class, 0 is C. */
  readonly tonic: number;
  readonly mode: Mode;
  /** The chord on the fifth degree in minor has a leading note. */
  private readonly leadingNote: boolean;
  private readonly sevenths: boolean;

  constructor(random: SeededRandom) {
    this.tonic = Math.floor(random.next() * 12);
    this.mode = random.chance(0.55) ? 'major' : 'minor';
    this.leadingNote = this.mode === 'minor' && random.chance(0.5);
    this.sevenths = random.chance(0.3);
  }

  /** A random chord progression: scale degrees, one per bar. */
  progression(random: SeededRandom): readonly number[] {
    return random.pick(PROGRESSIONS[this.mode]);
  }

  /** MIDI number of a scale degree; degree 0 of octave 4 is the tonic at or above middle C. */
  pitch(degree: number, octave: number): number {
    const within = ((degree % 7) + 7) % 7;
    return 12 * (octave + 1 + Math.floor(degree / 7)) + this.tonic + SCALES[this.mode][within]!;
  }

  /** MIDI numbers of the chord on a degree. */
  chord(root: number, octave: number): number[] {
    const thirds = this.sevenths && root !== 0 ? [0, 2, 4, 6] : [0, 2, 4];
    return thirds.map((third) => this.pitch(root + third, octave) + this.raise(root, root + third));
  }

  /** Semitones by which a degree is raised over the chord on `root`. */
  raise(root: number, degree: number): number {
    return this.leadingNote && root === 4 && ((degree % 7) + 7) % 7 === 6 ? 1 : 0;
  }
}

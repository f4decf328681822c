/** A key. `tonic` is the number of semitones above C. */
export type Key = { tonic: number; mode: 'major' | 'minor' };

/** Seeded songs for measuring: notes, and the truth about them. Nothing here is anyone's song. */

/** A note of `lengthBeats` from `atBeat` on; `pitch` is a MIDI number. */
export type Note = { atBeat: number; lengthBeats: number; pitch: number; velocity: number };

export type Composition = {
  name: string;
  bpm: number;
  meter: 3 | 4;
  /** Pitch class of the tonic, C = 0. */
  tonic: number;
  mode: 'major' | 'minor';
  bars: number;
  programs: { bass: number; chords: number; pad: number };
  voiceIsHigh: boolean;
  drums: Note[];
  bass: Note[];
  chords: Note[];
  pad: Note[];
  melody: Note[];
};

/** A reproducible stream of numbers in [0, 1) (mulberry32). */
export function stream(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const SCALES = { major: [0, 2, 4, 5, 7, 9, 11], minor: [0, 2, 3, 5, 7, 8, 10] } as const;
/** Degrees of one chord a bar; each begins or ends at home. */
const PROGRESSIONS = {
  major: [
    [0, 4, 5, 3],
    [0, 3, 4, 0],
    [0, 5, 3, 4],
    [0, 3, 0, 4],
  ],
  minor: [
    [0, 5, 2, 6],
    [0, 3, 4, 0],
    [0, 6, 5, 4],
    [0, 3, 6, 0],
  ],
} as const;
const [KICK, SNARE, CLAP, HAT, OPEN_HAT, RIDE, CRASH] = [36, 38, 39, 42, 46, 51, 49];
const SONG_SEC = 45;

type Groove = (beat: number, meter: number) => [offset: number, pitch: number, velocity: number][];
const GROOVES: readonly Groove[] = [
  // Rock: kick on the first and third, snare between, eighths.
  (beat, meter) => [
    [0, beat === 0 || (meter === 4 && beat === 2) ? KICK : SNARE, 105],
    [0, HAT, 70],
    [0.5, HAT, 55],
    ...(beat === 2 ? [[0.5, KICK, 85] as [number, number, number]] : []),
  ],
  // House: four on the floor, claps, open hats off the beat.
  (beat, meter) => [
    [0, KICK, 110],
    [0.5, OPEN_HAT, 70],
    ...(beat % 2 === 1 && meter === 4 ? [[0, CLAP, 95] as [number, number, number]] : []),
    [0.25, HAT, 45],
    [0.75, HAT, 45],
  ],
  // Ballad: sparse, ride.
  (beat, meter) => [
    [0, RIDE, 65],
    ...(beat === 0 ? [[0, KICK, 95] as [number, number, number]] : []),
    ...(beat === (meter === 4 ? 2 : 1) ? [[0, SNARE, 85] as [number, number, number]] : []),
  ],
  // Funk: sixteenths, ghost notes, a late kick.
  (beat) => [
    [0, beat % 2 === 0 ? KICK : SNARE, 105],
    [0, HAT, 70],
    [0.25, HAT, 40],
    [0.5, HAT, 60],
    [0.75, beat === 1 ? KICK : HAT, beat === 1 ? 90 : 40],
  ],
];

/** The song of a seed: 45 seconds, 62 to 160 bpm, every sixth in three. */
export function compose(seed: number): Composition {
  const random = stream(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const meter = seed % 6 === 5 ? 3 : 4;
  const bpm = Math.round(62 + 98 * random());
  const tonic = Math.floor(random() * 12);
  const mode = random() < 0.5 ? 'major' : 'minor';
  const scale = SCALES[mode];
  const progression = pick<readonly number[]>(PROGRESSIONS[mode]);
  const groove = pick(bpm < 85 ? [GROOVES[0]!, GROOVES[2]!, GROOVES[3]!] : GROOVES);
  const bars = Math.ceil((SONG_SEC * bpm) / 60 / meter);
  const song: Composition = {
    name: `seed-${seed}`,
    bpm,
    meter,
    tonic,
    mode,
    bars,
    programs: {
      bass: pick([32, 33, 34, 35, 38, 39]),
      chords: pick([0, 4, 5, 24, 25, 27, 28]),
      pad: pick([16, 48, 50, 89, 90]),
    },
    voiceIsHigh: random() < 0.5,
    drums: [],
    bass: [],
    chords: [],
    pad: [],
    melody: [],
  };
  const pitchOf = (degree: number, octave: number): number =>
    12 * (octave + 1 + Math.floor(degree / 7)) + tonic + scale[((degree % 7) + 7) % 7]!;
  const bassPattern = pick([[0], [0, 1.5], [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5], [0, 2], [0, 1.5, 2, 3.5]]);
  const strum = pick([[0], [0, 1, 2, 3], [0, 1.5, 3], [0.5, 1.5, 2.5, 3.5]]);
  const inBar = (beats: readonly number[]): number[] => beats.filter((beat) => beat < meter);
  let degree = 0;
  for (let bar = 0; bar < bars; bar++) {
    const start = bar * meter;
    const root = progression[bar % progression.length]!;
    // A break of drums in the middle, and voice in phrases of four bars.
    const drumming = bar < bars / 2 || bar >= bars / 2 + 2;
    if (drumming) {
      for (let beat = 0; beat < meter; beat++) {
        for (const [offset, pitch, velocity] of groove(beat, meter)) {
          song.drums.push({
            atBeat: start + beat + offset,
            lengthBeats: 0.2,
            pitch,
            velocity: velocity - 8 * random(),
          });
        }
      }
      if (bar % 8 === 0) song.drums.push({ atBeat: start, lengthBeats: 1, pitch: CRASH, velocity: 90 });
    }
    inBar(bassPattern).forEach((beat, i, all) => {
      const step = random() < 0.2 && i > 0 ? 4 : 0;
      const lengthBeats = 0.9 * ((all[i + 1] ?? meter) - beat);
      song.bass.push({ atBeat: start + beat, lengthBeats, pitch: pitchOf(root + step, 1), velocity: 100 });
    });
    for (const beat of inBar(strum)) {
      for (const third of [0, 2, 4]) {
        const velocity = 70 + 15 * random();
        song.chords.push({ atBeat: start + beat, lengthBeats: 0.8, pitch: pitchOf(root + third, 3), velocity });
      }
    }
    for (const third of [0, 2, 4]) {
      song.pad.push({ atBeat: start, lengthBeats: meter, pitch: pitchOf(root + third, 4), velocity: 50 });
    }
    if (bar % 8 < 2 || bar % 4 === 3) continue;
    for (let beat = 0; beat < meter;) {
      const lengthBeats = pick([0.5, 0.5, 1, 1, 1.5]);
      degree = Math.max(-2, Math.min(7, degree + Math.round(4 * random() - 2)));
      // The first note of a bar is of the chord.
      const sung = beat === 0 ? root + 2 * Math.floor(3 * random()) - (root > 3 ? 7 : 0) : degree;
      if (random() < 0.85) {
        song.melody.push({
          atBeat: start + beat,
          lengthBeats: lengthBeats * 0.92,
          pitch: pitchOf(sung, 3),
          velocity: 90,
        });
      }
      beat += lengthBeats;
    }
  }
  return song;
}

/** Composes random songs with known annotations. Equal seeds give equal songs. */
import { Harmony } from './harmony.ts';
import { SeededRandom } from './random.ts';
import { STYLES } from './styles.ts';
import type { Kit, Style } from './styles.ts';

/** A note with times in beats; `pitch` is a MIDI number. */
export type Note = { atBeat: number; lengthBeats: number; pitch: number; velocity: number };
/** Parts of a composition. */
export type Part = 'drums' | 'bass' | 'chords' | 'pad' | 'melody';

/** A song as notes. */
export type Composition = {
  name: string;
  style: Style;
  bpm: number;
  harmony: Harmony;
  bars: number;
  /** General MIDI programs. */
  programs: { bass: number; chords: number; pad: number };
  notes: Record<Part, Note[]>;
  /** Beats with a kick, for sidechain compression. */
  kicks: number[];
};

const DRUM_PITCHES: Record<keyof Kit, number> = {
  kick: 36,
  snare: 38,
  rim: 37,
  clap: 39,
  hat: 42,
  open: 46,
  pedal: 44,
  ride: 51,
  shaker: 70,
  tambourine: 54,
  tom: 45,
};
const CRASH = 49;
const VELOCITIES: Record<string, number> = { x: 108, o: 82, '.': 42 };
/** Approximate length of a song. */
const SONG_SEC = 48;

type Section = { kind: 'intro' | 'verse' | 'chorus' | 'break' | 'outro'; bars: number };

/** Sections of a song: intro, verses, choruses and outro; a break in long songs. */
function form(bars: number, random: SeededRandom): Section[] {
  const sections: Section[] = [{ kind: 'intro', bars: bars > 14 ? random.pick([2, 4, 4]) : 2 }];
  let left = bars - sections[0]!.bars - 2;
  for (let i = 0; left > 0; i++) {
    const kind = i % 2 === 0 ? 'verse' : 'chorus';
    const length = Math.min(left, bars > 20 ? 8 : 4);
    sections.push({ kind, bars: length });
    left -= length;
    if (kind === 'chorus' && left > 6 && random.chance(0.5)) {
      sections.push({ kind: 'break', bars: 2 });
      left -= 2;
    }
  }
  return [...sections, { kind: 'outro', bars: 2 }];
}

/** A sung phrase of four bars. `step` is the scale step relative to the chord's root if `onChord`, else to the tonic. */
type Phrase = { atBeat: number; lengthBeats: number; step: number; onChord: boolean }[];

function composePhrase(meter: number, random: SeededRandom): Phrase {
  const notes: Phrase = [];
  const lengths = random.pick([
    [0.5, 0.5, 1, 1, 1.5],
    [1, 1, 2, 0.5],
    [0.25, 0.25, 0.5, 0.5, 0.5, 1],
  ]);
  const pickUp = random.chance(0.4) ? 0.5 : 0;
  const end = meter * random.pick([3, 3.5, 4]);
  let step = 0;
  for (let beat = pickUp; beat < end;) {
    const lengthBeats = Math.min(random.pick(lengths), 4 * meter - beat);
    step = Math.max(-3, Math.min(6, step + Math.round(random.between(-2.4, 2.4))));
    if (random.chance(0.85)) notes.push({ atBeat: beat, lengthBeats, step, onChord: beat % meter < 0.25 });
    beat += lengthBeats;
  }
  return notes;
}

/** Collects the notes of a song bar by bar. Rows of steps are described in `styles.ts`. */
class Writer {
  readonly notes: Record<Part, Note[]> = { drums: [], bass: [], chords: [], pad: [], melody: [] };
  readonly kicks: number[] = [];
  private readonly style: Style;
  private readonly harmony: Harmony;
  private readonly random: SeededRandom;
  private arpeggio = 0;

  constructor(style: Style, harmony: Harmony, random: SeededRandom) {
    this.style = style;
    this.harmony = harmony;
    this.random = random;
  }

  drums(bar: number, kit: Kit, fill: boolean): void {
    const { meter } = this.style;
    for (const [name, row] of Object.entries(kit) as [keyof Kit, string][]) {
      [...row].forEach((accent, step) => {
        const velocity = VELOCITIES[accent];
        if (velocity === undefined) return;
        const atBeat = bar * meter + (step * meter) / row.length;
        this.drum(atBeat, DRUM_PITCHES[name], velocity);
        if (name === 'kick') this.kicks.push(atBeat);
      });
    }
    if (!fill) return;
    for (const step of [0, 0.25, 0.5, 0.75])
      this.drum((bar + 1) * meter - 1 + step, step < 0.5 ? DRUM_PITCHES.snare : DRUM_PITCHES.tom, 90);
  }

  crash(bar: number): void {
    this.drum(bar * this.style.meter, CRASH, 92);
  }

  private drum(atBeat: number, pitch: number, velocity: number): void {
    this.notes.drums.push({ atBeat, lengthBeats: 0.2, pitch, velocity: velocity - this.random.between(0, 10) });
  }

  bass(bar: number, row: string, root: number, next: number): void {
    const { meter } = this.style;
    const low = this.harmony.pitch(root, 1) > 40 ? root - 7 : root;
    const degrees: Record<string, number> = {
      r: low,
      '3': low + 2,
      '5': low + 4,
      '8': low + 7,
      w: low + (next > root ? 6 : 1),
    };
    const strikes = [...row].flatMap((kind, step) => (kind === '-' ? [] : [{ kind, step }]));
    strikes.forEach(({ kind, step }, i) => {
      const degree = degrees[kind]!;
      const until = strikes[i + 1]?.step ?? row.length;
      this.notes.bass.push({
        atBeat: bar * meter + (step * meter) / row.length,
        lengthBeats: (0.92 * (until - step) * meter) / row.length,
        pitch: this.harmony.pitch(degree, 1) + this.harmony.raise(root, degree),
        velocity: 100 - this.random.between(0, 14),
      });
    });
  }

  chords(bar: number, row: string, root: number, octave: number): void {
    const { meter } = this.style;
    const tones = this.harmony.chord(root, octave);
    const strikes = [...row].flatMap((kind, step) => (kind === '-' ? [] : [{ kind, step }]));
    strikes.forEach(({ kind, step }, i) => {
      const until = strikes[i + 1]?.step ?? row.length;
      const long = (0.95 * (until - step) * meter) / row.length;
      const pitches = kind === 'a' ? [tones[this.arpeggio++ % tones.length]! + 12] : tones;
      for (const pitch of pitches) {
        const velocity = this.random.between(66, 88);
        const atBeat = bar * meter + (step * meter) / row.length;
        this.notes.chords.push({ atBeat, lengthBeats: kind === 's' ? Math.min(0.25, long) : long, pitch, velocity });
      }
    });
  }

  pad(bar: number, root: number): void {
    const { meter } = this.style;
    for (const pitch of this.harmony.chord(root, 4))
      this.notes.pad.push({ atBeat: bar * meter, lengthBeats: meter * 0.98, pitch, velocity: 58 });
  }

  /** Writes bar `barOfPhrase` of a phrase over a chord. */
  melody(bar: number, barOfPhrase: number, sung: Phrase, root: number): void {
    const { meter } = this.style;
    const low = root > 3 ? root - 7 : root;
    for (const { atBeat, lengthBeats, step, onChord } of sung) {
      if (Math.floor(atBeat / meter) !== barOfPhrase) continue;
      const degree = onChord ? low + 2 * (((step % 3) + 3) % 3) : step;
      this.notes.melody.push({
        atBeat: bar * meter + atBeat - barOfPhrase * meter,
        lengthBeats: lengthBeats * 0.94,
        pitch: this.harmony.pitch(degree, 3) + this.harmony.raise(root, degree),
        velocity: 92,
      });
    }
  }
}

/** Composes the song of a seed. Seeds 2n and 2n + 1 have the same style. */
export function compose(seed: number): Composition {
  const random = new SeededRandom(seed);
  const style = STYLES[Math.floor(seed / 2) % STYLES.length]!;
  const { meter } = style;
  const exact = random.between(...style.bpm);
  const bpm = random.chance(0.5) ? Math.round(exact) : Math.round(exact * 100) / 100;
  const harmony = new Harmony(random);
  const writer = new Writer(style, harmony, random);
  const sections = form(Math.ceil((SONG_SEC * bpm) / 60 / meter), random);
  const kit = random.pick(style.drums);
  const busier = random.pick(style.drums);
  const bassRow = random.pick(style.bass);
  const chordRow = random.pick(style.chords);
  const octave = random.pick([3, 3, 4]);
  const songs = { verse: harmony.progression(random), chorus: harmony.progression(random) };
  const phrases = { verse: composePhrase(meter, random), chorus: composePhrase(meter, random) };
  const sparseIntro = random.chance(0.5);
  const hasPad = style.programs.pad !== null && random.chance(0.75);
  let bar = 0;
  sections.forEach(({ kind, bars }, index) => {
    const chorus = kind === 'chorus';
    const progression = chorus ? songs.chorus : songs.verse;
    const last = index === sections.length - 1;
    for (let i = 0; i < bars; i++, bar++) {
      const home = last && i === bars - 1;
      const root = home ? 0 : progression[i % progression.length]!;
      const drumming = kind === 'verse' || chorus || (kind === 'intro' && !sparseIntro) || (kind === 'outro' && !home);
      if (drumming) writer.drums(bar, chorus ? busier : kit, i === bars - 1 && random.chance(0.5));
      if (drumming && i === 0 && kind !== 'intro') writer.crash(bar);
      if (kind !== 'intro' || !sparseIntro || i >= 2) {
        writer.bass(bar, home ? 'r' : bassRow, root, progression[(i + 1) % progression.length]!);
      }
      writer.chords(bar, home ? 'c' : chordRow, root, octave);
      if (hasPad && kind !== 'verse') writer.pad(bar, root);
      const singing = kind === 'verse' || chorus;
      if (singing) writer.melody(bar, i % 4, chorus ? phrases.chorus : phrases.verse, root);
    }
    // The melody changes between some verses.
    if (kind === 'verse' && random.chance(0.5)) phrases.verse = composePhrase(meter, random);
  });
  return {
    name: `${String(seed).padStart(2, '0')} ${style.name}`,
    style,
    bpm,
    harmony,
    bars: bar,
    programs: {
      bass: random.pick(style.programs.bass),
      chords: random.pick(style.programs.chords),
      pad: random.pick(style.programs.pad ?? style.programs.chords),
    },
    notes: writer.notes,
    kicks: writer.kicks,
  };
}

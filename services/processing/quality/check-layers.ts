/** The checks that need the layers: time, metre, harmony, voices and bass of the songs beside each other. */
import type { QualityCheck } from '../../../schema.ts';
import { check } from './checks.ts';
import { LEVEL_HOP, type LayerSound } from '../measure/layer.ts';
import type { Percussion } from '../measure/onsets.ts';
import { CHROMA_HOP, PITCHES, profileLikeness } from '../measure/chroma.ts';
import { lags, PHASES, phaseLikeness } from './onset-lag.ts';

/** A voice under this level is not heard as singing, dBFS RMS. */
const ACTIVE_VOICE_DB = -40;
/** A layer under this level is not heard beside the others, dBFS RMS. */
const HEARD_DB = -40;
/** Steps of the levels in a second. */
const REST_STEPS = 10;
/** Power, times seconds, of a low band in which nothing plays. */
const SILENT_POWER = 1e-5;
/** Two likenesses of pitch classes within this are equal to the ear. A choice. */
const AS_GOOD = 0.03;

/** A section as it was heard: its layers, and the strokes of each song in it. */
export type HeardSection = {
  durationSec: number;
  bpm: number;
  layers: LayerSound[];
  /** By song that keeps the beat: its drums in this section, or where they would strike if they were heard. */
  percussion: ReadonlyMap<string, Percussion>;
  /** Songs that play at their own speed, beside the beat. */
  free: ReadonlySet<string>;
  /** Songs that are read at half or twice their tempo: their backbeat does not lie where the mashup's does. */
  otherPulse: ReadonlySet<string>;
};

export type Expectations = {
  sampleRate: number;
  beatsPerBar: number;
  /** The song that carries the beat: others are placed by it. */
  anchor: string;
  /** Largest change of speed of a song that keeps the beat, as a share. */
  tempoChange: number;
  /** Meters of the songs. */
  meters: ReadonlyMap<string, number>;
  /** Part of the bars that start on bar lines; null where no song has the mashup's meter. */
  downbeatsOnBars: number | null;
};

/** What could be better, song by song: what a correction starts from. */
export type Findings = {
  /** Milliseconds that a song is late against the anchor. */
  lateMs: Map<string, number>;
  /** Beats by which a song should be brought forward, where that fits clearly better. */
  phase: Map<string, number>;
  /** Likeness of a voice to the foreign beds under it, for each raise by 0..11 semitones from where it is. */
  harmony: Map<string, number[]>;
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;

function quantile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.ceil(share * values.length) - 1)] ?? null;
}

type Timing = { all: number[]; lateMs: Map<string, number>; advantage: number | null; phase: Map<string, number> };

function judgeTiming(sections: readonly HeardSection[], expected: Expectations): Timing {
  const found = new Map<string, { lags: number[]; phases: number[]; weight: number; foreign: boolean }>();
  const elsewhere: number[] = [];
  for (const { percussion, durationSec, bpm, otherPulse } of sections) {
    const beatSec = 60 / bpm;
    const barSec = beatSec * expected.beatsPerBar;
    const anchor = percussion.get(expected.anchor);
    if (!anchor) {
      // Without the song that all are placed by, the others still have to be together.
      const [first, ...others] = [...percussion.values()];
      for (const strokes of others) elsewhere.push(...lags(first!, strokes, barSec, expected.sampleRate));
      continue;
    }
    for (const [songId, strokes] of percussion) {
      if (songId === expected.anchor) continue;
      const entry = found.get(songId) ?? { lags: [], phases: PHASES.map(() => 0), weight: 0, foreign: false };
      entry.lags.push(...lags(anchor, strokes, barSec, expected.sampleRate));
      phaseLikeness(anchor, strokes, beatSec, expected.sampleRate).forEach((likeness, i) => {
        entry.phases[i]! += likeness * durationSec;
      });
      entry.weight += durationSec;
      entry.foreign ||= otherPulse.has(songId) || otherPulse.has(expected.anchor);
      found.set(songId, entry);
    }
  }
  const lateMs = new Map<string, number>();
  const phase = new Map<string, number>();
  let advantage: number | null = null;
  for (const [songId, { lags: late, phases, weight, foreign: otherPulse }] of found) {
    if (late.length > 0) lateMs.set(songId, median(late));
    const foreign = expected.meters.get(songId) !== expected.beatsPerBar || otherPulse;
    // Bars of different lengths, and patterns at half speed, agree nowhere: only the half beat can be told.
    const usable = PHASES.map((_, i) => i).filter((i) => !foreign || Math.abs(PHASES[i]!) < 1);
    const best = usable.reduce((a, b) => (phases[b]! > phases[a]! + 1e-9 ? b : a));
    const gain = (phases[best]! - phases[0]!) / weight;
    advantage = Math.max(advantage ?? 0, gain);
    phase.set(songId, check('metre_advantage', gain).passed ? 0 : PHASES[best]!);
  }
  const all = [...elsewhere, ...[...found.values()].flatMap((entry) => entry.lags)].map(Math.abs);
  return { all, lateMs, advantage, phase };
}

/** Adds the rows of `pitches` in which the voice is active to `into`. */
function addSung(into: number[], pitches: Float32Array, levels: Float32Array): void {
  for (let row = 0; row < pitches.length / PITCHES; row++) {
    const level = levels[Math.min(levels.length - 1, Math.floor((row * CHROMA_HOP + CHROMA_HOP / 2) / LEVEL_HOP))];
    if (level === undefined || level < ACTIVE_VOICE_DB) continue;
    for (let pitch = 0; pitch < PITCHES; pitch++) into[pitch]! += pitches[row * PITCHES + pitch]!;
  }
}

/** For each song that sings over foreign music: its likeness to that, for each raise by 0..11 semitones. */
export function harmonyOf(sections: readonly Pick<HeardSection, 'layers'>[]): Map<string, number[]> {
  const profiles = new Map<string, { voice: number[]; bed: number[] }>();
  for (const { layers } of sections) {
    for (const voice of layers.filter(({ stem }) => stem === 'vocals')) {
      const beds = layers.filter(
        ({ stem, songId, pitches }) => stem !== 'vocals' && songId !== voice.songId && pitches,
      );
      if (beds.length === 0 || !voice.pitches) continue;
      const entry = profiles.get(voice.songId) ?? {
        voice: new Array<number>(PITCHES).fill(0),
        bed: new Array<number>(PITCHES).fill(0),
      };
      addSung(entry.voice, voice.pitches, voice.levels);
      for (const bed of beds) addSung(entry.bed, bed.pitches!, voice.levels);
      profiles.set(voice.songId, entry);
    }
  }
  const result = new Map<string, number[]>();
  for (const [songId, { voice, bed }] of profiles) {
    if (voice.every((value) => value === 0) || bed.every((value) => value === 0)) continue;
    result.set(
      songId,
      Array.from({ length: PITCHES }, (_, raise) => profileLikeness(voice, bed, raise)),
    );
  }
  return result;
}

/** Place of the transposition that is played among all twelve; those that fit as well, within a small margin, do not count. */
export function rankOf(likeness: readonly number[]): number {
  return 1 + likeness.filter((value) => value > likeness[0]! + AS_GOOD).length;
}

/** Whether voices of two songs are active in a step. */
function twoVoices({ layers }: HeardSection, k: number): boolean {
  const active = ({ stem, levels }: LayerSound): boolean => stem === 'vocals' && levels[k]! > ACTIVE_VOICE_DB;
  return new Set(layers.filter(active).map(({ songId }) => songId)).size > 1;
}

/** Percentage of the time in which at least two songs are heard; null where there is but one. */
function heardTogether(sections: readonly HeardSection[]): number | null {
  if (new Set(sections.flatMap(({ layers }) => layers.map(({ songId }) => songId))).size < 2) return null;
  // A rest between two lines is no absence.
  return shareOfTime(sections, ({ layers }, k) => songsAround(layers, k).size > 1);
}

/** Percentage of the time in which a song is heard at its own speed over the drums of another; null where none is free. */
function besideBeat(sections: readonly HeardSection[]): number | null {
  if (sections.every(({ free }) => free.size === 0)) return null;
  return shareOfTime(sections, ({ layers, free }, k) => {
    const drumming = songsAt(
      layers.filter(({ stem }) => stem === 'drums'),
      k,
    );
    const floating = [...songsAt(layers, k)].filter((id) => free.has(id));
    return floating.some((id) => [...drumming].some((other) => other !== id));
  });
}

/** Songs that are heard within a second of a step. */
function songsAround(layers: readonly LayerSound[], k: number): Set<string> {
  const heard = ({ levels }: LayerSound): boolean =>
    levels.subarray(Math.max(0, k - REST_STEPS), k + REST_STEPS + 1).some((level) => level > HEARD_DB);
  return new Set(layers.filter(heard).map(({ songId }) => songId));
}

/** Songs with a layer that is heard in a step of the levels. */
function songsAt(layers: readonly LayerSound[], k: number): Set<string> {
  return new Set(layers.filter(({ levels }) => levels[k]! > HEARD_DB).map(({ songId }) => songId));
}

/** Percentage of the steps of the levels in which something holds; null without any. */
function shareOfTime(
  sections: readonly HeardSection[],
  holds: (section: HeardSection, step: number) => boolean,
): number | null {
  let holding = 0;
  let all = 0;
  for (const section of sections) {
    const steps = Math.max(0, ...section.layers.map(({ levels }) => levels.length));
    all += steps;
    for (let k = 0; k < steps; k++) if (holds(section, k)) holding++;
  }
  return all === 0 ? null : (100 * holding) / all;
}

/** Share of the strongest layer in the low band, drums aside, weighted by how much low band a section has. */
function lowBandShare(sections: readonly HeardSection[]): number | null {
  let strongest = 0;
  let all = 0;
  for (const { layers, durationSec } of sections) {
    const powers = layers.filter(({ stem }) => stem !== 'drums').map(({ lowPower }) => lowPower);
    strongest += Math.max(0, ...powers) * durationSec;
    all += powers.reduce((sum, power) => sum + power, 0) * durationSec;
  }
  return all > SILENT_POWER ? strongest / all : null;
}

/** Judges the layers of a mashup beside each other. */
export function judgeLayers(
  sections: readonly HeardSection[],
  expected: Expectations,
): { checks: QualityCheck[]; findings: Findings } {
  const timing = judgeTiming(sections, expected);
  const harmony = harmonyOf(sections);
  const likenesses = [...harmony.values()];
  const ranks = likenesses.map((values) => rankOf(values));
  const tempoChange = 100 * expected.tempoChange;
  const foreign = [...expected.meters.values()].filter((meter) => meter !== expected.beatsPerBar).length;
  return {
    checks: [
      check('beat_lag_median', quantile(timing.all, 0.5)),
      check('beat_lag_p95', quantile(timing.all, 0.95)),
      check('metre_advantage', timing.advantage),
      check('downbeats_on_bars', expected.downbeatsOnBars),
      check('foreign_meters', foreign),
      check('tempo_change', tempoChange),
      check('tempo_change_limit', tempoChange),
      check('harmony', likenesses.length > 0 ? Math.min(...likenesses.map((values) => values[0]!)) : null),
      check('harmony_rank', ranks.length > 0 ? Math.max(...ranks) : null),
      check('together', heardTogether(sections)),
      check('beside_beat', besideBeat(sections)),
      check('two_voices', shareOfTime(sections, twoVoices)),
      check('one_bass', lowBandShare(sections)),
    ],
    findings: { lateMs: timing.lateMs, phase: timing.phase, harmony },
  };
}

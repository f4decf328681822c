/** What is heard in the sections of a plan: the facts that texts are made of. */
import type { Plan, PlanLayer, PlanSection, Stem } from '../../schema.ts';
import { barsOf, sectionBpm } from '../plan/bars.ts';
import { parseEffect, type EffectName } from '../plan/effects.ts';
import { AUDIBLE_LEVEL_DB } from '../plan/limits.ts';

/** Kinds of sections by their place, their energy and what plays. */
export type SectionLabel = 'Intro' | 'Build' | 'Drop' | 'Verse' | 'Groove' | 'Break' | 'Rise' | 'Peak' | 'Outro';

/** What is heard in a section. */
export type SectionFacts = {
  label: SectionLabel;
  /** The label, with a number if several sections have it: `Drop 2`. */
  name: string;
  /** Audible layers, in the order of the plan. */
  layers: readonly PlanLayer[];
  /** Songs that sing, the loudest first. */
  singers: readonly string[];
  hasDrums: boolean;
  /** Songs that play without the beat. */
  free: readonly string[];
  bars: number;
  bpm: number;
  startSec: number;
  energy: number;
  /** Difference of the sum of the layers from the section before, in dB; 0 for the first. */
  louderDb: number;
};

/** Sections of this share of the highest energy are drops. */
const DROP_SHARE = 0.8;
/** A section that leads up to one with this much more energy is a build or a rise. */
const RISE = 0.1;

const isAudible = ({ volume_db }: PlanLayer): boolean => volume_db > AUDIBLE_LEVEL_DB;

/** Returns the songs that give a stem in layers, the loudest first. */
export function songsWith(layers: readonly PlanLayer[], stem: Stem): string[] {
  const own = layers.filter((layer) => layer.stem === stem).toSorted((a, b) => b.volume_db - a.volume_db);
  return [...new Set(own.map(({ songId }) => songId))];
}

/** Level of all layers together in dB, as if they were equally loud at 0 dB. */
const levelOf = (layers: readonly PlanLayer[]): number =>
  10 * Math.log10(layers.reduce((sum, { volume_db }) => sum + 10 ** (volume_db / 10), 1e-6));

/** Returns the facts of all sections. */
export function factsOf({ masterplan: { timeline, global } }: Plan): SectionFacts[] {
  const audible = timeline.map(({ layers }) => layers.filter(isAudible));
  const labels = labelsOf(timeline, audible);
  const names = numbered(labels);
  const bars = barsOf(timeline, global);
  return timeline.map((section, index) => {
    const layers = audible[index] ?? [];
    return {
      label: labels[index] ?? 'Verse',
      name: names[index] ?? 'Verse',
      layers,
      singers: songsWith(layers, 'vocals'),
      hasDrums: layers.some(({ stem }) => stem === 'drums'),
      free: [...new Set(layers.filter(({ timing }) => timing === 'free').map(({ songId }) => songId))],
      bars: bars[index] ?? 1,
      bpm: sectionBpm(global, section),
      startSec: section.time_start_sec,
      energy: section.energy_level,
      louderDb: index === 0 ? 0 : levelOf(layers) - levelOf(audible[index - 1] ?? []),
    };
  });
}

/** Names the sections by place, energy and drums. */
function labelsOf(timeline: readonly PlanSection[], audible: readonly (readonly PlanLayer[])[]): SectionLabel[] {
  const energies = timeline.map((section) => section.energy_level);
  const last = timeline.length - 1;
  const highest = Math.max(...(last > 1 ? energies.slice(1, -1) : energies));
  const peak = energies.findLastIndex((energy, index) => energy >= highest - 1e-6 && (last < 2 || index < last));
  const has = (index: number, stem: Stem): boolean => (audible[index] ?? []).some((layer) => layer.stem === stem);
  const drop = energies.findIndex(
    (energy, index) => index > 0 && energy >= DROP_SHARE * highest && has(index, 'drums'),
  );
  return energies.map((energy, index): SectionLabel => {
    if (index === 0) return 'Intro';
    if (index === last) return 'Outro';
    if (index <= peak && energies.slice(index, peak + 1).every((each) => each >= highest - 1e-6)) return 'Peak';
    if (!has(index, 'drums')) return 'Break';
    if (energy >= DROP_SHARE * highest) return 'Drop';
    if ((energies[index + 1] ?? 0) - energy >= RISE) return index < drop ? 'Build' : 'Rise';
    return has(index, 'vocals') ? 'Verse' : 'Groove';
  });
}

/** Adds numbers to labels that occur more than once. */
function numbered(labels: readonly SectionLabel[]): string[] {
  const counts = new Map<SectionLabel, number>();
  return labels.map((label) => {
    const number = (counts.get(label) ?? 0) + 1;
    counts.set(label, number);
    return labels.indexOf(label) === labels.lastIndexOf(label) ? label : `${label} ${number}`;
  });
}

/** Returns the song whose stem is heard longest in the mashup; undefined if nobody gives it. */
export function mainSource({ masterplan: { timeline } }: Plan, stem: Stem): string | undefined {
  const seconds = new Map<string, number>();
  for (const { layers, duration_sec } of timeline) {
    const [song] = songsWith(layers.filter(isAudible), stem);
    if (song !== undefined) seconds.set(song, (seconds.get(song) ?? 0) + duration_sec);
  }
  return [...seconds].toSorted((a, b) => b[1] - a[1])[0]?.[0];
}

/** Returns the tempi at which a song follows the beat, the longest first; empty if it never does. */
export function boundTempi({ masterplan: { timeline, global } }: Plan, songId: string): number[] {
  const seconds = new Map<number, number>();
  for (const section of timeline) {
    if (!section.layers.some((layer) => layer.songId === songId && isAudible(layer) && layer.timing !== 'free'))
      continue;
    const bpm = sectionBpm(global, section);
    seconds.set(bpm, (seconds.get(bpm) ?? 0) + section.duration_sec);
  }
  return [...seconds].toSorted((a, b) => b[1] - a[1]).map(([bpm]) => bpm);
}

/** Returns the stems of a song that are heard anywhere. */
export function heardStems({ masterplan: { timeline } }: Plan, songId: string): Set<Stem> {
  const own = timeline.flatMap(({ layers }) => layers.filter((layer) => layer.songId === songId && isAudible(layer)));
  return new Set(own.map(({ stem }) => stem));
}

/** Returns the effects of layers by name, each with its layer. */
export function effectsIn(
  layers: readonly PlanLayer[],
  names: readonly EffectName[],
): { layer: PlanLayer; effect: string; name: EffectName }[] {
  return layers.flatMap((layer) =>
    layer.effects.flatMap((effect) => {
      const name = parseEffect(effect)?.name;
      return name !== undefined && names.includes(name) ? [{ layer, effect, name }] : [];
    }),
  );
}

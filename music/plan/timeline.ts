/** Conversion between a plan's timeline and the sections that the studio's timeline component draws. */
import type { LayerTiming, Masterplan, PlanSection } from '../../schema.ts';
import { STEMS } from '../../schema/constants.ts';

type MashupLayer = {
  songId?: string;
  stem: string;
  /** 0..1, drawn as opacity. */
  volume: number;
  volume_db?: number;
  effects?: string[];
  source_start_sec?: number;
  timing?: LayerTiming;
  why?: string;
};

/** A section as the timeline component draws it. It keeps the plan's members, so that the conversion back is lossless. */
export type MashupSection = {
  start: number;
  duration: number;
  description: string;
  layers: MashupLayer[];
  energy_level?: number;
  tempo_bpm?: number;
  time_start_sec?: number;
  duration_sec?: number;
  /** Length in bars, for texts; present if the tempo of the plan was given. */
  bars?: number;
};

const DEFAULT_ENERGY = 0.5;
/** Smallest volume in the conversion back: -60 dB. */
const FLOOR_VOLUME = 0.001;

const round4 = (value: number): number => Math.round(value * 10_000) / 10_000;

/** Returns the length of a section in whole bars. */
const barsIn = (seconds: number, bpm: number, { timeSignature: [beats] }: Masterplan['global']): number =>
  Math.max(1, Math.round((seconds * bpm) / 60 / beats));

/** Converts a gain in dB to an opacity: 10^(dB/20), at most 1. A missing gain is 1. */
function volumeOf(db: number | undefined): number {
  return db === undefined || !Number.isFinite(db) ? 1 : round4(Math.min(1, 10 ** (db / 20)));
}

/**
 * Converts a plan's timeline to drawn sections. Leaves out sections without a duration.
 * @param global tempo and meter of the plan. Absent: the lengths in bars are left out
 */
export function toMashupSections(
  timeline: readonly Partial<PlanSection>[],
  global?: Masterplan['global'],
): MashupSection[] {
  return timeline.flatMap((section) => {
    const duration = Number(section.duration_sec);
    const start = Math.max(0, Number(section.time_start_sec ?? 0) || 0);
    if (!(duration > 0) || !Number.isFinite(duration)) return [];
    return [
      {
        start,
        duration,
        description: section.description ?? '',
        ...(section.energy_level === undefined ? {} : { energy_level: section.energy_level }),
        ...(section.tempo_bpm === undefined ? {} : { tempo_bpm: section.tempo_bpm }),
        time_start_sec: start,
        duration_sec: duration,
        ...(global ? { bars: barsIn(duration, section.tempo_bpm ?? global.targetBPM, global) } : {}),
        layers: (section.layers ?? []).map((layer) => ({
          ...layer,
          volume: volumeOf(layer.volume_db),
          effects: layer.effects ?? [],
        })),
      },
    ];
  });
}

/** Converts drawn sections back to a timeline. Leaves out layers of unknown stems or without a song. */
export function fromMashupSections(sections: readonly MashupSection[]): PlanSection[] {
  return sections
    .filter((section) => section.duration > 0)
    .map((section) => ({
      time_start_sec: section.time_start_sec ?? section.start,
      duration_sec: section.duration_sec ?? section.duration,
      description: section.description,
      energy_level: section.energy_level ?? DEFAULT_ENERGY,
      ...(section.tempo_bpm === undefined ? {} : { tempo_bpm: section.tempo_bpm }),
      layers: section.layers.flatMap((layer) => {
        const stem = STEMS.find((one) => one === layer.stem);
        if (stem === undefined || !layer.songId) return [];
        const { volume, ...rest } = layer;
        const volume_db = layer.volume_db ?? round4(20 * Math.log10(Math.max(volume, FLOOR_VOLUME)));
        return [{ ...rest, songId: layer.songId, stem, volume_db, effects: layer.effects ?? [] }];
      }),
    }));
}

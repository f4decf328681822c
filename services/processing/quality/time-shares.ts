/** Shares of the time in which songs are audible together, and of the low band that one layer has. */
import type { LayerMeasurement } from '../measure/layer.ts';
import { ACTIVE_VOICE_DB } from './harmony.ts';
import type { MeasuredSection } from './measured-section.ts';

/** A layer below this level (dBFS RMS) is inaudible beside the others. */
const AUDIBLE_DB = -40;
/** A song counts as audible for this many steps before and after it is: one second, a rest between two lines. */
const REST_STEPS = 10;
/** Power below 120 Hz, times seconds, of a mashup without low notes. */
const SILENT_POWER = 1e-5;

/** Percentage of the time in which at least two songs are audible; null if there is only one song. */
export function togetherPercent(sections: readonly MeasuredSection[]): number | null {
  if (new Set(sections.flatMap(({ layers }) => layers.map(({ songId }) => songId))).size < 2) return null;
  return percentOfTime(sections, ({ layers }, step) => audibleSongsNear(layers, step).size > 1);
}

/** Percentage of the time in which a song at its own speed is audible over the drums of another; null if no song is free. */
export function besideBeatPercent(sections: readonly MeasuredSection[]): number | null {
  if (sections.every(({ free }) => free.size === 0)) return null;
  return percentOfTime(sections, ({ layers, free }, step) => {
    const drums = layers.filter(({ stem }) => stem === 'drums');
    const drumming = audibleSongsAt(drums, step);
    const freeSongs = [...audibleSongsAt(layers, step)].filter((id) => free.has(id));
    return freeSongs.some((id) => [...drumming].some((other) => other !== id));
  });
}

/** Percentage of the time in which voices of two songs are active; null without layers. */
export function twoVoicesPercent(sections: readonly MeasuredSection[]): number | null {
  const active = ({ stem, levels }: LayerMeasurement, step: number): boolean =>
    stem === 'vocals' && levels[step]! > ACTIVE_VOICE_DB;
  return percentOfTime(sections, ({ layers }, step) => {
    return new Set(layers.filter((layer) => active(layer, step)).map(({ songId }) => songId)).size > 1;
  });
}

/**
 * Share, 0..1, of the power below 120 Hz that the strongest layer of each section has, without drums; null if there is no low
 * band.
 */
export function lowBandShare(sections: readonly MeasuredSection[]): number | null {
  let strongest = 0;
  let all = 0;
  for (const { layers, durationSec } of sections) {
    const powers = layers.filter(({ stem }) => stem !== 'drums').map(({ lowPower }) => lowPower);
    strongest += Math.max(0, ...powers) * durationSec;
    all += powers.reduce((sum, power) => sum + power, 0) * durationSec;
  }
  return all > SILENT_POWER ? strongest / all : null;
}

/** Songs that are audible within a second of a step of the levels. */
function audibleSongsNear(layers: readonly LayerMeasurement[], step: number): Set<string> {
  const isAudible = ({ levels }: LayerMeasurement): boolean =>
    levels.subarray(Math.max(0, step - REST_STEPS), step + REST_STEPS + 1).some((level) => level > AUDIBLE_DB);
  return new Set(layers.filter(isAudible).map(({ songId }) => songId));
}

/** Songs with a layer that is audible in a step of the levels. */
function audibleSongsAt(layers: readonly LayerMeasurement[], step: number): Set<string> {
  return new Set(layers.filter(({ levels }) => levels[step]! > AUDIBLE_DB).map(({ songId }) => songId));
}

/** Percentage of the steps of the levels in which a condition holds; null without steps. */
function percentOfTime(
  sections: readonly MeasuredSection[],
  holds: (section: MeasuredSection, step: number) => boolean,
): number | null {
  let holding = 0;
  let all = 0;
  for (const section of sections) {
    const steps = Math.max(0, ...section.layers.map(({ levels }) => levels.length));
    all += steps;
    for (let step = 0; step < steps; step++) if (holds(section, step)) holding++;
  }
  return all === 0 ? null : (100 * holding) / all;
}

/** What a render plays where it is not what the plan says: sections that corrections changed, and shifts of the songs. */
import type { AsRendered, PlanLayer } from '../../../schema.ts';
import type { Arrangement, LayerSlice } from './arrangement.ts';
import type { RenderLayer, RenderPlan } from './plan.ts';
import { startKey, type Tuning } from './tuning.ts';

/** A render: the plan with its corrections, and what its sections play. */
type Rendered = {
  plan: RenderPlan;
  arrangement: Pick<Arrangement, 'sections'>;
  tuning: Pick<Tuning, 'semitones' | 'starts'>;
};

/** Smaller differences of a start are those of the nearest downbeat, in seconds. */
const SAME_START_SEC = 0.05;

/**
 * Returns the sections whose layers differ from those of the plan, and the shift of each song in semitones.
 * @param sent the plan as it was sent
 */
export function asRendered(sent: RenderPlan, { plan, arrangement, tuning }: Rendered): AsRendered {
  const sections = arrangement.sections.flatMap((slices, index): AsRendered['sections'] => {
    const planned = plan.sections[index]?.layers ?? [];
    const layers = slices.map((slice) => toLayer(slice, planned, tuning.starts.get(startKey(index, slice.songId))));
    return isSame(layers, sent.sections[index]?.layers ?? []) ? [] : [{ index, layers }];
  });
  return { sections, shifts: Object.fromEntries(tuning.semitones) };
}

/** A slice as a layer of a plan. A bed, which no plan has, starts where another layer of its song does. */
function toLayer(
  { songId, stem, volumeDb, effects }: LayerSlice,
  planned: readonly RenderLayer[],
  correctedStart: number | undefined,
): PlanLayer {
  const ofSong = planned.filter((layer) => layer.songId === songId);
  const source = ofSong.find((layer) => layer.stem === stem) ?? ofSong[0];
  const start = correctedStart ?? source?.sourceStartSec;
  return {
    songId,
    stem,
    volume_db: volumeDb,
    effects,
    ...(start === undefined ? {} : { source_start_sec: start }),
    ...(source?.free === true ? { timing: 'free' as const } : {}),
  };
}

/** Whether layers are those of the plan, whatever their order. */
function isSame(layers: readonly PlanLayer[], planned: readonly RenderLayer[]): boolean {
  return (
    layers.length === planned.length &&
    layers.every((layer) =>
      planned.some(
        ({ songId, stem, volumeDb, effects, free, sourceStartSec }) =>
          songId === layer.songId &&
          stem === layer.stem &&
          volumeDb === layer.volume_db &&
          free === (layer.timing === 'free') &&
          effects.join() === layer.effects.join() &&
          Math.abs((sourceStartSec ?? 0) - (layer.source_start_sec ?? 0)) <= SAME_START_SEC,
      ),
    )
  );
}

/** What is heard of a plan, without its texts. */
import type { Plan, PlanSection } from '../../schema.ts';

/** Returns all that is heard of a section, as text. */
export function soundOfSection({ description: _, layers, ...section }: PlanSection): string {
  return JSON.stringify({ ...section, layers: layers.map(({ why: _why, ...layer }) => layer) });
}

/** Returns all that is heard of a plan, as text: plans with equal results sound the same, whatever they say. */
export function soundOf({ masterplan: { global, timeline } }: Plan): string {
  return JSON.stringify([global, ...timeline.map(soundOfSection)]);
}

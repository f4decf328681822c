/** The effects of a layer. */
import { type Effect, nearestEffect, parseEffect } from '../../../music/plan/effects.ts';

/** Longest part of an unknown effect that a warning quotes, in characters. */
const MAX_QUOTED = 60;

/**
 * Parses the effects of a layer. An effect that is not in the grammar is replaced by the nearest one that is, or left out; both
 * give a warning.
 */
export function parseLayerEffects(texts: readonly string[]): { effects: Effect[]; warnings: string[] } {
  const effects: Effect[] = [];
  const warnings: string[] = [];
  for (const text of texts) {
    const parsed = parseEffect(text);
    const effect = parsed ?? nearestEffect(text);
    const quoted = text.slice(0, MAX_QUOTED);
    if (!effect) {
      warnings.push(`The effect "${quoted}" is not known and was left out.`);
      continue;
    }
    if (!parsed) warnings.push(`The effect "${quoted}" was read as ${effect.name}.`);
    effects.push(effect);
  }
  return { effects, warnings };
}

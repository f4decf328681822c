/** What rendering asks of the musical knowledge: pitch shifts and effects. */
import { type Effect, nearestEffect, parseEffect } from '../../../music/plan/effects.ts';
import { keyShift, parseKey } from '../../../music/theory/keys.ts';

/** Smallest shift in semitones from one key to another; 0 where one of them is not known. */
export function semitonesTo(from: string, to: string): number {
  const a = parseKey(from);
  const b = parseKey(to);
  return a && b ? keyShift(a, b) : 0;
}

/** Reads the effects of a layer. One that is not in the grammar becomes the nearest that is, or is skipped; both are told. */
export function readEffects(texts: readonly string[]): { effects: Effect[]; warnings: string[] } {
  const effects: Effect[] = [];
  const warnings: string[] = [];
  for (const text of texts) {
    const effect = parseEffect(text) ?? nearestEffect(text);
    const shown = text.slice(0, 60);
    if (!effect) {
      warnings.push(`The effect "${shown}" is not known and was left out.`);
      continue;
    }
    if (!parseEffect(text)) warnings.push(`The effect "${shown}" was read as ${effect.name}.`);
    effects.push(effect);
  }
  return { effects, warnings };
}

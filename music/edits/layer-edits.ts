/** Edits of one layer: its level, and whether it plays. */
import type { PlanLayer, PlanSection } from '../../schema.ts';
import { clampLevel } from '../revision/plan-edits.ts';
import {
  findSection,
  isLayer,
  layerName,
  sectionName,
  spliced,
  withEdited,
  type EditContext,
  type EditedSection,
  type EditOf,
  type EditResult,
  type EditState,
} from './edit-state.ts';

/** Reason of a layer that has none. A second voice needs one to be a backing voice. */
const BY_HAND = 'Set by hand';

const replace = (state: EditState, at: number, found: EditedSection, section: PlanSection): EditResult =>
  withEdited(state, spliced(state.sections, at, 1, { ...found, section }));

/** Sets the level of a layer. */
export function setLevel(state: EditState, edit: EditOf<'layer_level'>, context: EditContext): EditResult {
  const place = findSection(state, edit.section);
  if ('refused' in place) return place;
  const { at, found } = place;
  const { section } = found;
  if (!section.layers.some((layer) => isLayer(layer, edit))) {
    const isMuted = section.muted?.some((layer) => isLayer(layer, edit));
    const name = layerName(edit, context);
    return {
      refused: isMuted
        ? `${sectionName(found)} has ${name} muted: unmute this layer first.`
        : `${sectionName(found)} does not play ${name}.`,
    };
  }
  const louder = (layer: PlanLayer): PlanLayer =>
    isLayer(layer, edit) ? { ...layer, volume_db: clampLevel(edit.db), why: layer.why ?? BY_HAND } : layer;
  return replace(state, at, found, { ...section, layers: section.layers.map(louder) });
}

/** Mutes a layer: the section keeps it, but does not play it. */
export function muteLayer(state: EditState, edit: EditOf<'mute_layer'>, context: EditContext): EditResult {
  const place = findSection(state, edit.section);
  if ('refused' in place) return place;
  const { at, found } = place;
  const { layers, muted = [], ...section } = found.section;
  const layer = layers.find((each) => isLayer(each, edit));
  if (!layer) return { refused: `${sectionName(found)} does not play ${layerName(edit, context)}.` };
  if (layers.length === 1)
    return { refused: `${sectionName(found)} would be silent without ${layerName(edit, context)}.` };
  const others = layers.filter((each) => each !== layer);
  return replace(state, at, found, { ...section, layers: others, muted: [...muted, layer] });
}

/** Lets a muted layer play again. */
export function unmuteLayer(state: EditState, edit: EditOf<'unmute_layer'>, context: EditContext): EditResult {
  const place = findSection(state, edit.section);
  if ('refused' in place) return place;
  const { at, found } = place;
  const { layers, muted = [], ...section } = found.section;
  const layer = muted.find((each) => isLayer(each, edit));
  if (!layer) return { refused: `${sectionName(found)} has no muted layer with ${layerName(edit, context)}.` };
  const rest = muted.filter((each) => each !== layer);
  const playing = { ...layer, why: layer.why ?? BY_HAND };
  return replace(state, at, found, {
    ...section,
    layers: [...layers, playing],
    ...(rest.length > 0 ? { muted: rest } : {}),
  });
}

/** Effects of layers, and the transitions between sections. */
import type { Plan, PlanLayer, Wish, WishEffect } from '../../schema.ts';
import { EFFECTS, formatEffect, parseEffect, type EffectName } from '../plan/effects.ts';
import { MAX_EFFECTS } from '../plan/limits.ts';
import {
  clampLevel,
  isEdge,
  isOf,
  nameOf,
  withLayers,
  withSections,
  type EditResult,
  type RevisionContext,
} from './plan-edits.ts';

type EffectChange = Extract<Wish, { kind: 'effect' }>;

/** Effects of a plan that an effect of a wish stands for. The first is the one that is added. */
const NAMES: Record<WishEffect, readonly EffectName[]> = {
  reverb: ['reverb'],
  echo: ['delay', 'pingpong', 'echo_out'],
  filter: ['lowpass_sweep', 'highpass_sweep', 'lowpass', 'highpass', 'bandpass'],
  sidechain: ['sidechain'],
  riser: ['riser'],
  stutter: ['stutter'],
  gate: ['gate'],
  reverse: ['reverse'],
  width: ['width'],
};
/** Stem that an effect is added to if the wish names none. */
const USUAL_STEM: Record<WishEffect, PlanLayer['stem']> = {
  reverb: 'vocals',
  echo: 'vocals',
  filter: 'other',
  sidechain: 'other',
  riser: 'other',
  stutter: 'drums',
  gate: 'other',
  reverse: 'vocals',
  width: 'other',
};
/** Parameters that say how strong an effect is, and the share by which `more` raises and `less` lowers them. */
const STRENGTHS = ['mix', 'depth', 'amount'] as const;
const STRENGTH_STEP = 0.5;

const isNamed = (effect: string, wish: Pick<EffectChange, 'effect'>): boolean => {
  const name = effect.split('(')[0] as EffectName;
  return wish.effect === undefined || NAMES[wish.effect].includes(name);
};

/** Returns how much there is of the effects that a wish is about: the number of them, weighted by their strength. */
export function amountOfEffects(plan: Plan, wish: EffectChange): number {
  let amount = 0;
  for (const { layers } of plan.masterplan.timeline)
    for (const layer of layers)
      if (isOf(layer, wish))
        for (const effect of layer.effects) if (isNamed(effect, wish)) amount += strengthOf(effect);
  return amount;
}

function strengthOf(text: string): number {
  const effect = parseEffect(text);
  const name = STRENGTHS.find((each) => effect?.params[each] !== undefined);
  if (!effect || !name) return 1;
  const parameters: Record<string, { max: number }> = EFFECTS[effect.name].parameters;
  return 0.5 + (effect.params[name] ?? 0) / (parameters[name]?.max ?? 1);
}

/** Adds, strengthens, weakens or removes effects. */
export function changeEffects(plan: Plan, wish: EffectChange, { songs }: RevisionContext): EditResult {
  const what = wish.effect ?? 'effects';
  const where = wish.stem === undefined && wish.song_id === undefined ? '' : ` on the ${nameOf(wish, songs)}`;
  const has = amountOfEffects(plan, wish) > 0;
  if (wish.change === 'off' || wish.change === 'less') {
    if (!has && wish.change === 'less') return { cannot: `There is no ${what}${where}.` };
    const change =
      wish.change === 'off'
        ? `${wish.effect === undefined ? `All effects${where} are` : `The ${wish.effect}${where} is`} removed.`
        : `There is less ${wish.effect ?? 'of the effects'}${where}.`;
    return { plan: withLayers(plan, (layer) => weakened(layer, wish)), change };
  }
  const strengthened = withLayers(plan, (layer) =>
    isOf(layer, wish) ? scaled(layer, wish, 1 + STRENGTH_STEP) : layer,
  );
  const changed = amountOfEffects(strengthened, wish) > amountOfEffects(plan, wish) ? strengthened : added(plan, wish);
  if (amountOfEffects(changed, wish) <= amountOfEffects(plan, wish))
    return { cannot: `No layer${where} has room for more ${what}.` };
  return { plan: changed, change: `There is more ${wish.effect ?? 'of the effects'}${where}.` };
}

/** Removes the effects that a wish is about, or makes them weaker; what has no strength is removed. */
function weakened(layer: PlanLayer, wish: EffectChange): PlanLayer {
  if (!isOf(layer, wish)) return layer;
  if (wish.change === 'off') return { ...layer, effects: layer.effects.filter((effect) => !isNamed(effect, wish)) };
  const weaker = scaled(layer, wish, 1 - STRENGTH_STEP);
  return { ...weaker, effects: weaker.effects.filter((effect) => !isNamed(effect, wish) || hasStrength(effect)) };
}

const hasStrength = (effect: string): boolean =>
  STRENGTHS.some((name) => parseEffect(effect)?.params[name] !== undefined);

/** Scales the strength of the effects that a wish is about. */
function scaled(layer: PlanLayer, wish: EffectChange, factor: number): PlanLayer {
  const effects = layer.effects.map((text) => {
    const effect = parseEffect(text);
    const name = STRENGTHS.find((each) => effect?.params[each] !== undefined);
    if (!effect || !name || !isNamed(text, wish)) return text;
    const range: Record<string, { min: number; max: number }> = EFFECTS[effect.name].parameters;
    const value = (effect.params[name] ?? 0) * factor;
    const { min = 0, max = 1 } = range[name] ?? {};
    return formatEffect({ ...effect, params: { ...effect.params, [name]: Math.min(max, Math.max(min, value)) } });
  });
  return { ...layer, effects };
}

/** Adds the effect to the layers that the wish is about. A riser and a stutter belong at the end of inner sections. */
function added(plan: Plan, wish: EffectChange): Plan {
  const effect = wish.effect ?? 'echo';
  const filter = {
    song_id: wish.song_id,
    stem: wish.stem ?? (wish.song_id === undefined ? USUAL_STEM[effect] : undefined),
  };
  const text = NAMES[effect][0] ?? 'reverb';
  return withSections(plan, (section, index, all) => {
    if ((effect === 'riser' || effect === 'stutter') && isEdge(index, all)) return section;
    const layers = section.layers.map((layer) =>
      isOf(layer, filter) &&
      layer.effects.length < MAX_EFFECTS &&
      !layer.effects.some((each) => isNamed(each, { effect }))
        ? { ...layer, effects: [...layer.effects, text] }
        : layer,
    );
    return { ...section, layers };
  });
}

/** Effects that `smoother` removes, and those that `harder` removes. */
const ROUGH = /^(stutter|gate|reverse|riser|bandpass)/;
const SOFT = /^(fade_in|fade_out|echo_out|lowpass_sweep|highpass_sweep)/;

/** Returns how rough the transitions of a plan are: rough effects less soft ones, and the changes of energy. */
export function roughness({ masterplan: { timeline } }: Plan): number {
  const effects = timeline.flatMap(({ layers }) => layers.flatMap((layer) => layer.effects));
  const count = (pattern: RegExp): number => effects.filter((effect) => pattern.test(effect)).length;
  let steps = 0;
  for (const [index, section] of timeline.entries())
    steps += Math.abs(section.energy_level - (timeline[index - 1]?.energy_level ?? section.energy_level));
  return count(ROUGH) - count(SOFT) + steps;
}

/** Makes the transitions smoother: no rough effects, softer drums, reverb on voices, smaller changes of energy. */
export function makeSmoother(plan: Plan): EditResult {
  const smooth = withLayers(plan, (layer) => {
    const effects = layer.effects.filter((effect) => !ROUGH.test(effect));
    if (
      layer.stem === 'vocals' &&
      !effects.some((effect) => effect.startsWith('reverb')) &&
      effects.length < MAX_EFFECTS
    )
      effects.push('reverb(mix=0.2)');
    return {
      ...layer,
      effects,
      volume_db: layer.stem === 'drums' ? clampLevel(layer.volume_db - 1.5) : layer.volume_db,
    };
  });
  const eased = withSections(smooth, (section, index, all) => {
    const before = all[index - 1]?.energy_level ?? section.energy_level;
    return { ...section, energy_level: Math.round((0.75 * section.energy_level + 0.25 * before) * 100) / 100 };
  });
  return {
    plan: eased,
    change: 'Rough effects are removed, drums are softer, voices have reverb, and the energy changes more gently.',
  };
}

/** Makes the transitions harder: no fades and sweeps inside, larger changes of energy. */
export function makeHarder(plan: Plan): EditResult {
  const hard = withSections(plan, (section, index, all) => {
    const before = all[index - 1]?.energy_level ?? section.energy_level;
    const energy = section.energy_level + 0.25 * (section.energy_level - before);
    return {
      ...section,
      energy_level: Math.min(1, Math.max(0.05, Math.round(energy * 100) / 100)),
      layers: isEdge(index, all)
        ? section.layers
        : section.layers.map((layer) => ({ ...layer, effects: layer.effects.filter((effect) => !SOFT.test(effect)) })),
    };
  });
  return {
    plan: hard,
    change: 'Sections change without fades and filter sweeps, and the energy changes more abruptly.',
  };
}

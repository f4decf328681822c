/** The first and the last section of a mashup. */
import type { Plan, PlanLayer, PlanSection, Wish } from '../../schema.ts';
import { formatEffect } from '../plan/effects.ts';
import { MAX_EFFECTS } from '../plan/limits.ts';
import { isOf, nameOf, withSections, type EditResult, type RevisionContext } from './plan-edits.ts';

type EdgeWish = Extract<Wish, { kind: 'edge' }>;
type EdgePartWish = Extract<Wish, { kind: 'edge_part' }>;

const QUIET_ENERGY = 0.25;
const LOUD_ENERGY = 0.9;
/** Level that a quiet edge loses. */
const QUIETER_DB = 3;

/** Returns the position of the first or the last section. */
export const edgeIndex = (edge: 'start' | 'end', timeline: readonly PlanSection[]): number =>
  edge === 'start' ? 0 : timeline.length - 1;

const verbOf = (edge: 'start' | 'end'): string => `The mashup ${edge}s`;

function changeEdge(plan: Plan, edge: 'start' | 'end', change: (section: PlanSection) => PlanSection): Plan {
  const at = edgeIndex(edge, plan.masterplan.timeline);
  return withSections(plan, (section, index) => (index === at ? change(section) : section));
}

/** The layers of the section nearest to an edge that fulfils a condition, without their places in the songs. */
function borrowLayers(plan: Plan, edge: 'start' | 'end', wanted: (layer: PlanLayer) => boolean): PlanLayer[] {
  const { timeline } = plan.masterplan;
  const own = timeline[edgeIndex(edge, timeline)];
  const order = edge === 'start' ? timeline : timeline.toReversed();
  const found = order.find((section) => section.tempo_bpm === own?.tempo_bpm && section.layers.some(wanted));
  return (found?.layers.filter(wanted) ?? []).map((layer) => {
    const { source_start_sec: _, ...rest } = layer;
    const source = own?.layers.find((each) => each.songId === layer.songId)?.source_start_sec;
    return source === undefined ? rest : { ...rest, source_start_sec: source };
  });
}

/** Makes an edge quiet, loud, or lets it come from or go to silence. */
export function changeEdgeSound(plan: Plan, { edge, sound }: EdgeWish): EditResult {
  const change = `${verbOf(edge)} ${sound === 'quiet' ? 'quietly' : sound === 'loud' ? 'with full energy' : `with a fade ${edge === 'start' ? 'in' : 'out'}`}.`;
  if (sound === 'fade') {
    const effect = formatEffect({ name: edge === 'start' ? 'fade_in' : 'fade_out', params: { bars: 0 } });
    const faded = (layer: PlanLayer): PlanLayer => {
      const others = layer.effects.filter((each) => !/^(fade_in|fade_out|echo_out)\b/.test(each));
      return { ...layer, effects: [...others.slice(0, MAX_EFFECTS - 1), effect] };
    };
    return { plan: changeEdge(plan, edge, (section) => ({ ...section, layers: section.layers.map(faded) })), change };
  }
  if (sound === 'quiet')
    return {
      plan: changeEdge(plan, edge, (section) => {
        const calm = section.layers.filter(({ stem }) => stem !== 'drums');
        const layers = (calm.length > 0 ? calm : section.layers).map((layer) => ({
          ...layer,
          volume_db: Math.max(-20, layer.volume_db - QUIETER_DB),
        }));
        return { ...section, layers, energy_level: Math.min(section.energy_level, QUIET_ENERGY) };
      }),
      change,
    };
  const peak = plan.masterplan.timeline.reduce((a, b) => (b.energy_level > a.energy_level ? b : a));
  const loud = peak.layers.map(({ source_start_sec: _, ...layer }) => layer);
  return {
    plan: changeEdge(plan, edge, (section) => ({
      ...section,
      layers: peak.tempo_bpm === section.tempo_bpm ? loud : section.layers,
      energy_level: Math.max(section.energy_level, LOUD_ENERGY),
    })),
    change,
  };
}

/** Decides what plays in the first or the last section. */
export function changeEdgePart(plan: Plan, wish: EdgePartWish, { songs }: RevisionContext): EditResult {
  const { edge, how } = wish;
  const name = nameOf(wish, songs);
  const { timeline } = plan.masterplan;
  const section = timeline[edgeIndex(edge, timeline)];
  const own = section?.layers.filter((layer) => isOf(layer, wish)) ?? [];
  const others = section?.layers.filter((layer) => !isOf(layer, wish)) ?? [];
  if (how === 'without')
    return others.length === 0
      ? { cannot: `Without the ${name} the ${edge} would be silent.` }
      : {
          plan: changeEdge(plan, edge, (each) => ({ ...each, layers: others })),
          change: `${verbOf(edge)} without the ${name}.`,
        };
  const wanted = own.length > 0 ? own : borrowLayers(plan, edge, (layer) => isOf(layer, wish));
  if (wanted.length === 0) return { cannot: `No section has the ${name}: it cannot ${edge} with it.` };
  const rest = how === 'only' ? [] : others.filter((layer) => !wanted.some(({ stem }) => stem === layer.stem));
  const article = wish.stem === undefined ? '' : 'the ';
  return {
    plan: changeEdge(plan, edge, (each) => ({ ...each, layers: [...wanted, ...rest] })),
    change: `${verbOf(edge)} with ${article}${name}${how === 'only' ? ' alone' : ''}.`,
  };
}

/** Applies wishes to a plan by rules. Everything else stays as it is. */
import type { Plan, Wish } from '../../schema.ts';
import { clock } from '../plan/clock.ts';
import { checkPlan } from '../plan/checks.ts';
import { describeWish } from '../wishes/wish-texts.ts';
import { changeEdgePart, changeEdgeSound } from './edges.ts';
import { isFulfilled } from './fulfilled.ts';
import { changeEffects, makeHarder, makeSmoother } from './layer-effects.ts';
import { changeEnergy, changeLevel, removeStem } from './levels.ts';
import { lengthOf, type EditResult, type RevisionContext } from './plan-edits.ts';
import { swapSongs, takeFrom } from './sources.ts';
import { changeLength, changeSections, moveDrop } from './structure.ts';
import { changeKey, changeTempo, outOfReach } from './tempo-and-key.ts';
import { wishHolds } from './wish-holds.ts';

/** `changes` lists what changed, `cannot` the wishes that could not be applied: sentences for the user. */
export type Applied = { plan: Plan; changes: string[]; cannot: string[] };

/** Wishes are applied in this order: what one changes must not undo another. */
const ORDER: readonly Wish['kind'][] = [
  'again',
  'swap',
  'source',
  'tempo',
  'tempo_exact',
  'key',
  'key_exact',
  'sections',
  'sections_exact',
  'drop',
  'length',
  'length_exact',
  'length_limit',
  'without',
  'energy',
  'level',
  'transitions',
  'effect',
  'edge',
  'edge_part',
  'keep',
];

function apply(plan: Plan, wish: Wish, context: RevisionContext): EditResult {
  switch (wish.kind) {
    case 'again':
      return context.remake
        ? { plan: context.remake(), change: 'The arrangement is new.' }
        : { cannot: 'Another arrangement cannot be made of this plan.' };
    case 'swap':
      return swapSongs(plan, context);
    case 'source':
      return takeFrom(plan, wish, context);
    case 'without':
      return removeStem(plan, wish, context);
    case 'level':
      return changeLevel(plan, wish, context);
    case 'energy':
      return changeEnergy(plan, wish, context);
    case 'transitions':
      return wish.change === 'smoother' ? makeSmoother(plan) : makeHarder(plan);
    case 'effect':
      return changeEffects(plan, wish, context);
    case 'edge':
      return changeEdgeSound(plan, wish);
    case 'edge_part':
      return changeEdgePart(plan, wish, context);
    case 'drop':
      return moveDrop(plan, wish.change);
    case 'sections':
    case 'sections_exact':
      return changeSections(plan, wish, context);
    case 'length':
    case 'length_exact':
    case 'length_limit':
      return changeLength(plan, wish, context);
    case 'tempo':
    case 'tempo_exact':
      return changeTempo(plan, wish, context);
    case 'key':
    case 'key_exact':
      return changeKey(plan, wish);
    case 'keep':
      return { plan, change: `The ${wish.what} stays.` };
  }
}

/**
 * Applies wishes. A change after which the plan would fail the checks, or which the checks take back, is left out and
 * reported in `cannot`. The result passes `checkPlan` if the given plan did.
 */
export function applyWishes(plan: Plan, wishes: readonly Wish[], context: RevisionContext): Applied {
  const applied: Applied = { plan, changes: [], cannot: [] };
  for (const wish of wishes.toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind))) {
    const text = describeWish(wish, context.songs);
    if (isFulfilled(wish, applied.plan)) {
      applied.changes.push(wish.kind === 'length_exact' ? lengthText(applied.plan) : `As asked: ${text}.`);
      continue;
    }
    const result = apply(applied.plan, wish, context);
    if ('cannot' in result) {
      applied.cannot.push(`Not possible: ${text}. ${result.cannot}`);
      continue;
    }
    const checked = checkPlan(result.plan, context.songs, context.limits);
    if (!checked.plan)
      applied.cannot.push(`Not possible: ${text}. ${reasonOf(checked.faults, wish, result.plan, context)}`);
    else if (!wishHolds(wish, checked.plan, wish.kind === 'keep' ? plan : applied.plan))
      applied.cannot.push(`Not possible: ${text}. These songs do not allow it.`);
    else {
      applied.plan = checked.plan;
      applied.changes.push(result.change);
    }
  }
  return applied;
}

/** The first fault, if it is made for users: the others tell a planner which member of which song to change. */
function reasonOf([fault]: readonly string[], wish: Wish, refused: Plan, { songs }: RevisionContext): string {
  const stretch = wish.kind === 'tempo' || wish.kind === 'tempo_exact' ? outOfReach(refused, songs) : undefined;
  if (stretch) return stretch;
  const isForPlanner = !fault || fault.includes('`') || songs.some(({ song_id }) => fault.includes(`"${song_id}"`));
  return isForPlanner ? 'These songs do not allow it.' : fault;
}

/** An exact length is met as near as whole phrases allow. */
const lengthText = ({ masterplan }: Plan): string => `The mashup is ${clock(lengthOf(masterplan.timeline))} long.`;

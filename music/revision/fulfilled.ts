/** Wishes that a plan fulfils already: no new version follows from them. */
import type { Plan, Wish, WishSong } from '../../schema.ts';
import { readWishes } from '../wishes/read-wishes.ts';
import { describeWish } from '../wishes/wish-texts.ts';
import { wishHolds } from './wish-holds.ts';

const STATES: ReadonlySet<Wish['kind']> = new Set([
  'source',
  'tempo_exact',
  'key_exact',
  'length_exact',
  'length_limit',
  'sections_exact',
  'edge',
  'edge_part',
  'without',
]);

/** Whether a wish is for a state, not for a change: then a plan may fulfil it already. */
const isState = (wish: Wish): boolean => STATES.has(wish.kind) || (wish.kind === 'effect' && wish.change === 'off');

/** Whether a plan does already what a wish asks for. A wish for a change, such as more bass, always asks for something new. */
export const isFulfilled = (wish: Wish, plan: Plan): boolean => isState(wish) && wishHolds(wish, plan);

/**
 * Returns the wishes of a text in words if the plan fulfils all of them already: none if the text asks for nothing. Undefined if it
 * asks for a change, or if a part of it is not understood.
 */
export function fulfilledWishes(text: string, songs: readonly WishSong[], plan: Plan): string[] | undefined {
  const { understood, not_understood } = readWishes(text, songs);
  const isChange = not_understood.length > 0 || understood.some((wish) => !isFulfilled(wish, plan));
  return isChange ? undefined : understood.map((wish) => describeWish(wish, songs));
}

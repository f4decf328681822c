/** What the seed has in store for each job and for each call to a service. */
import type { ServiceName } from '../../schema.ts';
import { random } from './random.ts';

/** How a job must end whatever else happens; `fine` may be made late, never be made wrong. */
export type Doom =
  'fine' | 'bad_song' | 'bad_third' | 'render_refused' | 'separation_broken' | 'wrong_path' | 'kills_worker';

/** Code that a doomed job fails with. Those that are not here end complete. */
export const CODE_OF_DOOM: Partial<Record<Doom, string>> = {
  bad_song: 'audio_damaged',
  render_refused: 'plan_invalid',
  separation_broken: 'service_failed',
  wrong_path: 'service_wrong_path',
  kills_worker: 'task_kills_worker',
};

/** One job of each of these in this many. */
const DOOM_EVERY = 25;
const DOOMS: readonly Doom[] = ['bad_song', 'bad_third', 'render_refused', 'separation_broken', 'wrong_path'];
/** A job that kills its workers costs four of them. */
const KILLER_EVERY = 50;

export function doomOf(seed: number, index: number): Doom {
  const offset = random(seed, 'doom').below(DOOM_EVERY);
  if ((index + offset) % KILLER_EVERY === KILLER_EVERY - 1) return 'kills_worker';
  return DOOMS[(index + offset) % DOOM_EVERY] ?? 'fine';
}

/** What goes wrong with one call. */
export type Fault =
  | 'unavailable'
  | 'overloaded'
  | 'crash'
  | 'reset'
  | 'half'
  | 'stall'
  | 'garbage'
  | 'shape'
  | 'slow'
  | 'lie'
  | 'short'
  | 'linger';

const ANY: readonly Fault[] = [
  'unavailable',
  'overloaded',
  'crash',
  'reset',
  'half',
  'stall',
  'garbage',
  'shape',
  'slow',
];
const WRITERS: readonly Fault[] = [...ANY, 'lie', 'short', 'linger'];
/** Share of tasks whose first call goes wrong, and of those whose second does too. */
const FIRST = 0.25;
const SECOND = 0.3;

/** The fault of the n-th call of one task of a job; undefined when all is well. */
export function faultOf(seed: number, service: ServiceName, key: string, call: number): Fault | undefined {
  const chance = random(seed, service, key);
  const first = chance.next() < FIRST;
  const second = first && chance.next() < SECOND;
  const kinds = service === 'separation' || service === 'processing' ? WRITERS : ANY;
  const faults = [chance.pick(kinds), chance.pick(kinds)];
  if (call === 0 && first) return faults[0];
  return call === 1 && second ? faults[1] : undefined;
}

/** A turn of a sequence, and what commands and journeys share to choose one. */
import type { Model, ModelJob } from './model.ts';
import * as misfortune from './fault-commands.ts';
import type { Claim, Operation, State } from './operations.ts';

/** Two operations of a race run side by side; a single one alone. */
export type Turn = Operation | [Operation, Operation];
/** A turn is made when its time comes, so that it sees what the one before it did; undefined: there is nothing to do it to. */
export type Turns = Generator<Turn | undefined>;

export const choose = <T>(list: readonly T[], pick: number): T | undefined => list[pick % Math.max(1, list.length)];
export const jobsOf = (model: Model): ModelJob[] => Object.values(model.jobs).sort((a, b) => (a.id < b.id ? -1 : 1));
export const isProbe = (state: State, claim: Claim): boolean =>
  state.picture.tasks.some((task) => task.id === claim.id && task.probe);

/** Workers that are alive and say so. */
export const crewHeard = (state: State): string[] =>
  [...state.crew, state.driver].filter((id) => state.model.workers[id]?.alive);

/** Time passes, workers are heard of (but one), and one of them sweeps. */
export function* upkeep(state: State, milliseconds: number, silent?: string): Turns {
  yield misfortune.pass(
    state,
    milliseconds,
    crewHeard(state).filter((id) => id !== silent),
  );
  yield misfortune.runSweep(state);
}

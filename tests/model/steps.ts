/** A step of a sequence, and what commands and scenarios share to choose one. */
import type { CircuitName } from '../../schema.ts';
import type { Fault, Model, ModelJob } from './model.ts';
import * as fault from './fault-commands.ts';
import type { Claim, Operation, State } from './operations.ts';

/** One operation, or two that run concurrently. */
export type Step = Operation | [Operation, Operation];
/** Steps, each generated when it is due. Undefined: not possible now. */
export type Steps = Generator<Step | undefined>;

export const choose = <T>(list: readonly T[], pick: number): T | undefined => list[pick % Math.max(1, list.length)];
export const jobsOf = (model: Model): ModelJob[] => Object.values(model.jobs).sort((a, b) => (a.id < b.id ? -1 : 1));
/** Returns a fault of a class, with the circuits that the claimed task is the probe of. */
export const faultOf = (state: State, claim: Claim, faultClass: string, blamed?: CircuitName): Fault => ({
  faultClass,
  blamed,
  probes: state.snapshot.tasks.find((task) => task.id === claim.id)?.probes ?? [],
});

/** Returns the workers that are alive and send heartbeats. */
export const liveWorkers = (state: State): string[] =>
  [...state.workers, state.driver].filter((id) => state.model.workers[id]?.alive);

/** Time passes, all workers (except `silent`) send heartbeats, and one of them sweeps. */
export function* sweepAfter(state: State, milliseconds: number, silent?: string): Steps {
  yield fault.passTime(
    state,
    milliseconds,
    liveWorkers(state).filter((id) => id !== silent),
  );
  yield fault.runSweep(state);
}

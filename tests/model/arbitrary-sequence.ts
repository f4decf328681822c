/** Random sequences of commands. */
import fc from 'fast-check';
import type { CommandChoice } from './commands.ts';
import type { Limits } from './model-fixture.ts';

/** Commands of a sequence. Each has one or more steps. */
const MIN_COMMANDS = 30;
const MAX_COMMANDS = 32;

/** A sequence of commands, and whether limits are tight. */
export interface Sequence {
  isTight: boolean;
  commands: CommandChoice[];
}

/** Relative frequency of each command. */
const WEIGHTS: Record<CommandChoice['command'], number> = {
  submit: 4,
  iterate: 2,
  start: 5,
  claim: 12,
  heartbeat: 4,
  publish: 2,
  reportOpening: 2,
  finish: 8,
  fail: 6,
  storageFault: 3,
  returnTask: 4,
  crash: 4,
  silence: 3,
  cancel: 1,
  replay: 3,
  illegal: 1,
  retry: 4,
  bulk: 3,
  pause: 6,
  resume: 2,
  clock: 2,
  sweep: 2,
  emptyQueue: 3,
  share: 4,
  deleteStems: 1,
  remove: 3,
  race: 5,
  scenario: 10,
};

/** Limits that rarely hold tasks back. */
export const ROOMY: Limits = {
  services: { analysis: 4, scoring: 3, orchestrator: 3, separation: 4, processing: 3 },
  jobs: 4,
  early: 'always',
};
/** Limits that often hold tasks back. */
export const TIGHT: Limits = {
  services: { analysis: 2, scoring: 1, orchestrator: 1, separation: 1, processing: 1 },
  jobs: 2,
  early: 'held',
};

/** Generates sequences. */
export const arbitrarySequence: fc.Arbitrary<Sequence> = fc.record({
  isTight: fc.boolean(),
  commands: fc.array(
    fc.record({
      command: fc.oneof(
        ...Object.entries(WEIGHTS).map(([command, weight]) => ({
          weight,
          arbitrary: fc.constant(command as CommandChoice['command']),
        })),
      ),
      pick: fc.nat({ max: 9_999 }),
      other: fc.nat({ max: 9_999 }),
      connection: fc.nat({ max: 3 }),
    }),
    { minLength: MIN_COMMANDS, maxLength: MAX_COMMANDS, size: 'max' },
  ),
});

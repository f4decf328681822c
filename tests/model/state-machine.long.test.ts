import { after, describe, it } from 'node:test';
import { runModelTest } from './run-model.ts';

/** Takes about half a minute on two slow cores; more when others use them. state-machine.deep.test.ts runs 5000 sequences. */
const TIMEOUT_MS = 600_000;

describe('the state machine', () => {
  it(
    'agrees with its model in 60 random sequences of commands, and breaks no invariant',
    { timeout: TIMEOUT_MS },
    async () => {
      await runModelTest({ after }, 60, 1 / 60);
    },
  );
});

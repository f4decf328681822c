import { after, describe, it } from 'node:test';
import { runModelTest } from './run-model.ts';

/** Takes about half a minute on two slow cores; more when others use them. */
const TIMEOUT_MS = 600_000;

describe('the state machine', () => {
  it(
    'agrees with its model in 160 random sequences of commands, and breaks no invariant',
    { timeout: TIMEOUT_MS },
    async () => {
      await runModelTest({ after }, 160);
    },
  );
});

import { after, describe, it } from 'node:test';
import { runModelTest } from './run-model.ts';

const TIMEOUT_MS = 3_600_000;

describe('the state machine', () => {
  it(
    'agrees with its model in 5000 random sequences of commands, and breaks no invariant',
    { timeout: TIMEOUT_MS },
    async () => {
      await runModelTest({ after }, 5_000, 0.05);
    },
  );
});

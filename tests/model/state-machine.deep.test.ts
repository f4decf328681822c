import { after, describe, it } from 'node:test';
import { attack } from './run-model.ts';

const TIMEOUT_MS = 3_600_000;

describe('the state machine', () => {
  it(
    'does what its model says in 5000 random sequences of commands, and breaks no invariant',
    { timeout: TIMEOUT_MS },
    async () => {
      await attack({ after }, 5_000);
    },
  );
});

import { after, describe, it } from 'node:test';
import { attack } from './run-model.ts';

/** Takes about a minute and a half on two slow cores; more when others use them. */
const TIMEOUT_MS = 600_000;

describe('the state machine', () => {
  it(
    'does what its model says in 350 random sequences of commands, and breaks no invariant',
    { timeout: TIMEOUT_MS },
    async () => {
      await attack({ after }, 350);
    },
  );
});

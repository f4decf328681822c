import { after, describe, it } from 'node:test';
import { attack } from './attack.ts';

describe('the state machine', () => {
  it('does what its model says in 300 random sequences of commands, and breaks no invariant', async () => {
    await attack({ after }, 300);
  });
});

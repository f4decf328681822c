import { after, describe, it } from 'node:test';
import { runConcurrentCalls } from './concurrent-calls.ts';

describe('lock order', () => {
  it('is kept by everything that takes locks, in concurrent calls for four seconds', async () => {
    await runConcurrentCalls({ after }, 4);
  });
});

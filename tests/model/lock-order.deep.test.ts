import { after, describe, it } from 'node:test';
import { storm } from './concurrent-calls.ts';

describe('lock order', () => {
  it('holds for everything that takes locks, side by side for a minute', async () => {
    await storm({ after }, 60);
  });
});

import { after, describe, it } from 'node:test';
import { storm } from './storm.ts';

describe('lock order', () => {
  it('holds for everything that takes locks, side by side for ten seconds', async () => {
    await storm({ after }, 10);
  });
});

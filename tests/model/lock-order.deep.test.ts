import { after, describe, it } from 'node:test';
import { storm } from './storm.ts';

describe('lock order', () => {
  it('holds for everything that takes locks, side by side for a minute', async () => {
    await storm({ after }, 60);
  });
});

/** What the studio shows its users when something is wrong. */
import { after, before, describe } from 'node:test';
import { reasonToSkip } from './browser.ts';
import { ending } from './ending.ts';
import { losingTouch } from './losing-touch.ts';
import { openStudioWorld } from './world.ts';
import type { StudioWorld } from './world.ts';

describe('the studio in trouble', { skip: reasonToSkip() }, () => {
  let world: StudioWorld;
  let jobId = '';

  before(async () => (world = await openStudioWorld()));
  after(() => world?.close());

  losingTouch(
    () => world,
    (id) => (jobId = id),
  );
  ending(
    () => world,
    () => jobId,
  );
});

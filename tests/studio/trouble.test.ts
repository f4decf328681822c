/** What the studio shows when something is wrong, to users and to the operator. */
import { after, before, describe } from 'node:test';
import { reasonToSkip } from './browser.ts';
import { ending } from './ending.ts';
import { losingTouch } from './losing-touch.ts';
import { operatingBreakers, operatingPauses, readingStories } from './operating.ts';
import { openStudioWorld } from './world.ts';
import type { StudioWorld } from './world.ts';

describe('the studio in trouble', { skip: reasonToSkip() }, () => {
  let world: StudioWorld;
  let jobId = '';
  const theWorld = (): StudioWorld => world;
  const theJob = (): string => jobId;

  before(async () => (world = await openStudioWorld()));
  after(() => world?.close());

  losingTouch(theWorld, (id) => (jobId = id));
  ending(theWorld, theJob);
  readingStories(theWorld, theJob);
  operatingPauses(theWorld, theJob);
  operatingBreakers(theWorld, theJob);
});

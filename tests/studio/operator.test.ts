/** The operator's page on an engine that works, is held, fails, and loses a service. */
import { after, before, describe } from 'node:test';
import { reasonToSkip } from './browser.ts';
import { operatingBreakers, operatingPauses, readingStories } from './operator-page-tests.ts';
import { makeMashup, openStudioWorld } from './studio-fixture.ts';
import type { StudioWorld } from './studio-fixture.ts';

describe("the operator's page", { skip: reasonToSkip() }, () => {
  let world: StudioWorld;
  let jobId = '';
  const theWorld = (): StudioWorld => world;
  const theJob = (): string => jobId;

  before(async () => {
    world = await openStudioWorld();
    jobId = await makeMashup(world);
  });
  after(() => world?.close());

  readingStories(theWorld, theJob);
  operatingPauses(theWorld, theJob);
  operatingBreakers(theWorld, theJob);
});

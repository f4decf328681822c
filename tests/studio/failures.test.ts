/** What the studio shows its users when something is wrong. */
import { after, before, describe } from 'node:test';
import { reasonToSkip } from './browser.ts';
import { ending } from './failed-job-tests.ts';
import { losingTouch } from './offline-tests.ts';
import { openStudioWorld } from './studio-fixture.ts';
import type { StudioWorld } from './studio-fixture.ts';

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

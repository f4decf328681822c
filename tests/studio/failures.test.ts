/** What the studio shows its users when something is wrong. */
import { after, before, describe } from 'node:test';
import { reasonToSkip } from './browser.ts';
import { testFailedJobs } from './failed-job-tests.ts';
import { testOffline } from './offline-tests.ts';
import { startStudioFixture } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

describe('the studio in trouble', { skip: reasonToSkip() }, () => {
  let fixture: StudioFixture;
  let jobId = '';

  before(async () => (fixture = await startStudioFixture()));
  after(() => fixture?.close());

  testOffline(
    () => fixture,
    (id) => (jobId = id),
  );
  testFailedJobs(
    () => fixture,
    () => jobId,
  );
});

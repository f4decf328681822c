/** The studio in a real browser without a network, and with cancelled, failed and expired mashups. */
import { after, before, describe } from 'node:test';
import { reasonToSkip } from './browser.ts';
import { testFailedJobs } from './failed-job-tests.ts';
import { testOffline } from './offline-tests.ts';
import { startStudioFixture } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

describe('the studio under failures', { skip: reasonToSkip() }, () => {
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

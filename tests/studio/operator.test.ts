/** The operator's page in a real browser: failures, pauses, and a service that is killed. */
import { after, before, describe } from 'node:test';
import { reasonToSkip } from './browser.ts';
import { testCircuitBreakers, testPauses, testJobHistory } from './operator-page-tests.ts';
import { makeMashup, startStudioFixture } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

describe("the operator's page", { skip: reasonToSkip() }, () => {
  let fixture: StudioFixture;
  let jobId = '';
  const currentFixture = (): StudioFixture => fixture;
  const currentJob = (): string => jobId;

  before(async () => {
    fixture = await startStudioFixture();
    jobId = await makeMashup(fixture);
  });
  after(() => fixture?.close());

  testJobHistory(currentFixture, currentJob);
  testPauses(currentFixture, currentJob);
  testCircuitBreakers(currentFixture, currentJob);
});

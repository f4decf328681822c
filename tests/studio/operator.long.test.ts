/** A mashup that plays while it is rendered, and the operator's page, in a real browser: failures, pauses, a killed service. */
import { after, before, describe } from 'node:test';
import { reasonToSkip } from './browser.ts';
import { testLivePlayback, testRenderedPlayback } from './live-playback-tests.ts';
import { testCircuitBreakers, testPauses, testJobHistory } from './operator-page-tests.ts';
import { testJobSearch, testWaterfall } from './operator-search-tests.ts';
import { startStudioFixture } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

describe("playback while rendering, and the operator's page", { skip: reasonToSkip() }, () => {
  let fixture: StudioFixture;
  let jobId = '';
  const currentFixture = (): StudioFixture => fixture;
  const currentJob = (): string => jobId;

  before(async () => (fixture = await startStudioFixture()));
  after(() => fixture?.close());

  testRenderedPlayback(currentFixture, (id) => (jobId = id));
  testLivePlayback(currentFixture, currentJob);
  testJobHistory(currentFixture, currentJob);
  testWaterfall(currentFixture, currentJob);
  testJobSearch(currentFixture, currentJob);
  testPauses(currentFixture, currentJob);
  testCircuitBreakers(currentFixture, currentJob);
});

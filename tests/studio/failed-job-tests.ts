/** Tests of mashups that were cancelled, have failed or have expired: what the page shows, and that retry works. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StudioFixture } from './studio-fixture.ts';
import { pageFaults, renderControls, WORK_MS } from './studio-fixture.ts';

/** `tighten` makes every render task fail permanently; `loosen` undoes it. */
export function renderLimits({ sql }: Pick<StudioFixture, 'sql'>): {
  tighten(): Promise<unknown>;
  loosen(): Promise<unknown>;
} {
  return {
    tighten: () => sql`update mashup.task_kinds set timeout_sec = 0.5, max_attempts = 1 where kind = 'render'`,
    loosen: () => sql`update mashup.task_kinds set timeout_sec = 1800, max_attempts = 3 where kind = 'render'`,
  };
}

/** Tests of a cancelled, a failed and an expired mashup. */
export function testFailedJobs(fixture: () => StudioFixture, jobId: () => string): void {
  testCancelAndRetry(fixture, jobId);
  testFailureAndRetry(fixture, jobId);
  testExpiredResult(fixture);
}

function testCancelAndRetry(fixture: () => StudioFixture, jobId: () => string): void {
  test('a cancelled mashup keeps its work, and retry continues where it stopped', async () => {
    const { page, shown, sql } = fixture();
    const { hold, release, replay } = renderControls(fixture());
    const plannings = async (): Promise<unknown> => {
      const [events] = await sql`
        select count(*) from public.mashup_job_events where job_id = ${jobId()} and stage in ('analyzing', 'scoring', 'planning')`;
      return events?.count;
    };
    const before = await plannings();
    await hold();
    await replay(jobId());
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('This mashup was cancelled.').waitFor();
    await page.getByText('Finished work is kept. Retry continues where it stopped.').waitFor();
    assert.equal(await fixture().stage(), 'cancelled');
    assert.match(await shown('stage-track').innerText(), /Render\s*, stopped here/);
    assert.deepEqual(await pageFaults(page), []);
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.locator('[data-stage=rendering]').waitFor();
    await release();
    await shown('result').waitFor({ timeout: WORK_MS });
    assert.equal(await plannings(), before, 'no stage before rendering was repeated');
  });
}

function testFailureAndRetry(fixture: () => StudioFixture, jobId: () => string): void {
  test('a failed mashup shows the reason and a hint, leads to other songs, and completes after a retry', async () => {
    const { page, shown, stack } = fixture();
    const { replay } = renderControls(fixture());
    const { tighten, loosen } = renderLimits(fixture());
    await tighten();
    await replay(jobId());
    const alert = page.getByRole('alert');
    await alert.waitFor({ timeout: WORK_MS });
    assert.match(
      await alert.innerText(),
      /The render task took longer than 0\.5 s\.\s+Try again\. .* use shorter songs\./,
    );
    assert.equal(await fixture().stage(), 'failed');
    assert.equal(await shown('result').count(), 0, 'the result of an earlier run is not shown');
    assert.deepEqual(await pageFaults(page), []);
    await page.getByRole('button', { name: 'Choose other songs' }).click();
    await page.getByRole('heading', { name: 'Two songs in, one mashup out' }).waitFor();
    await loosen();
    await page.goto(`${stack.info.apiUrl}/#/mashup/${jobId()}`);
    await page.getByRole('button', { name: 'Retry' }).click();
    await shown('result').waitFor({ timeout: WORK_MS });
    assert.equal(await page.getByRole('alert').count(), 0);
  });
}

function testExpiredResult(fixture: () => StudioFixture): void {
  test('an expired mashup can be rendered again', async () => {
    const { page, shown, sql } = fixture();
    await sql.begin((transaction) => [
      transaction`update mashup.settings set value = '0' where name = 'result_expires_days'`,
      transaction`select mashup.purge_expired()`,
      transaction`update mashup.settings set value = '30' where name = 'result_expires_days'`,
    ]);
    await page.getByText('The file of this mashup has expired.').waitFor();
    assert.equal(await page.getByRole('button', { name: /^WAV/ }).count(), 0);
    assert.deepEqual(await pageFaults(page), []);
    await page.getByRole('button', { name: 'Render it again' }).click();
    await page.getByRole('button', { name: /^WAV/ }).waitFor({ timeout: WORK_MS });
    assert.equal(await shown('result').getByText('expired').count(), 0);
  });
}

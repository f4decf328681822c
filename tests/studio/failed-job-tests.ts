/** Mashups that are cancelled or fail: what is said, what can be done, and that it helps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StudioFixture } from './studio-fixture.ts';
import { pageFaults, renderControls, WORK_MS } from './studio-fixture.ts';

/** Makes every render fail once for good, and undoes it. */
export function renderLimits({ sql }: Pick<StudioFixture, 'sql'>): {
  tighten(): Promise<unknown>;
  loosen(): Promise<unknown>;
} {
  return {
    tighten: () => sql`update mashup.task_kinds set timeout_sec = 0.5, max_attempts = 1 where kind = 'render'`,
    loosen: () => sql`update mashup.task_kinds set timeout_sec = 1800, max_attempts = 3 where kind = 'render'`,
  };
}

export function testFailedJobs(fixture: () => StudioFixture, jobId: () => string): void {
  test('a cancelled mashup says that nothing is lost, and retry goes on where it stopped', async () => {
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
    assert.equal(await plannings(), before, 'nothing before the rendering was done again');
  });

  test('a failed mashup says why and what to do, leads to other songs, and retry makes it', async () => {
    const { page, shown, stack } = fixture();
    const { replay } = renderControls(fixture());
    const { tighten, loosen } = renderLimits(fixture());
    await tighten();
    await replay(jobId());
    const alert = page.getByRole('alert');
    await alert.waitFor({ timeout: WORK_MS });
    assert.match(
      await alert.innerText(),
      /The render task took longer than 0\.5 s\.\s+Try again; .* use shorter songs\./,
    );
    assert.equal(await fixture().stage(), 'failed');
    assert.equal(await shown('result').count(), 0, 'no result of an earlier run is shown as this one');
    assert.deepEqual(await pageFaults(page), []);
    await page.getByRole('button', { name: 'Choose other songs' }).click();
    await page.getByRole('heading', { name: 'Two songs in, one mashup out' }).waitFor();
    await loosen();
    await page.goto(`${stack.info.apiUrl}/#/mashup/${jobId()}`);
    await page.getByRole('button', { name: 'Retry' }).click();
    await shown('result').waitFor({ timeout: WORK_MS });
    assert.equal(await page.getByRole('alert').count(), 0);
  });

  test('a mashup whose file has expired says so and is rendered again by a click', async () => {
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

/** Tests of the operator's page: job history, pauses and circuit breakers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Locator } from 'playwright-core';
import { mashup } from '../cli/cli.ts';
import { renderLimits } from './failed-job-tests.ts';
import { pageFaults, renderControls, until, WORK_MS } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

/** Opens the operator's page with the account of the stack, if it is not signed in yet. */
export async function openOperatorPage({ page, shown, stack }: StudioFixture): Promise<void> {
  await page.goto(`${stack.info.apiUrl}/#/operator`);
  const form = page.getByRole('form', { name: 'Sign in as operator' });
  await form.or(shown('operator-board')).first().waitFor();
  if (await form.isVisible()) {
    await form.getByLabel('E-mail').fill(stack.info.operator.email);
    await form.getByLabel('Password').fill(stack.info.operator.password);
    await form.getByRole('button', { name: 'Sign in' }).click();
  }
  await shown('operator-board').waitFor();
}

/** Goes to the overview by its link. */
async function toOverview({ page, shown }: StudioFixture): Promise<void> {
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Overview' }).click();
  await shown('operator-board').waitFor();
}

/** A panel of the operator's page by its name. */
const panel = ({ page }: StudioFixture, name: string): Locator => page.getByRole('region', { name, exact: true });

/** Tests of a failed job's history, and of the charts. */
export function testJobHistory(fixture: () => StudioFixture, jobId: () => string): void {
  testFailureAndHistory(fixture, jobId);
  testCharts(fixture);
}

function testFailureAndHistory(fixture: () => StudioFixture, jobId: () => string): void {
  test('the operator sees a failure by its reason, reads the history of its job, and retries it', async () => {
    const { page, shown, sql } = fixture();
    const { replay, reaches } = renderControls(fixture());
    const { tighten, loosen } = renderLimits(fixture());
    await tighten();
    await replay(jobId());
    await reaches(jobId(), 'failed');
    await loosen();
    await openOperatorPage(fixture());
    const failure = panel(fixture(), 'Failures').getByRole('link', { name: /^1 × The render task took longer/ });
    assert.match(await failure.innerText(), /\(task_timeout, in render\)/);
    await failure.click();

    const history = shown('job-history');
    await history.waitFor();
    const events = await sql`
      select type, extract(epoch from e.created_at - j.created_at)::float as since, e.detail
      from public.mashup_job_events e join public.mashup_jobs j on j.id = e.job_id where j.id = ${jobId()} order by e.id`;
    assert.equal(await shown('event').count(), events.length);
    for (const [index, text] of (await shown('event').allInnerTexts()).entries()) {
      const [, at, what] = /^\+([\d.]+)\s+(\w+)/.exec(text) ?? [];
      assert.equal(what, events[index]?.type);
      assert.ok(Math.abs(Number(at) - Number(events[index]?.since)) < 0.06, `${text} at ${events[index]?.since} s`);
    }
    const withDetail = events.findLastIndex(({ detail }) => Object.keys((detail as object | null) ?? {}).length > 0);
    const event = shown('event').nth(withDetail);
    await event.getByText('Detail', { exact: true }).click();
    assert.deepEqual(JSON.parse(await event.locator('pre').innerText()), events[withDetail]?.detail);
    const task = history.getByRole('row', { name: /^render .*failed/ }).last();
    assert.match(await task.innerText(), /task_timeout: The render task took longer than 0\.5 s\.\s+\d+\.\d s$/);
    await history.getByText('The whole row').click();
    const row = JSON.parse(await history.locator('pre').last().innerText()) as { id: string; error_code: string };
    assert.deepEqual([row.id, row.error_code], [jobId(), 'task_timeout']);
    assert.deepEqual(await pageFaults(page), []);

    assert.equal(new URL(page.url()).hash, `#/operator/${jobId()}`, 'the job has an address');
    await history.getByRole('button', { name: 'Retry' }).click();
    await reaches(jobId(), 'complete');
    await toOverview(fixture());
    await panel(fixture(), 'Failures').waitFor({ state: 'detached' });
  });
}

function testCharts(fixture: () => StudioFixture): void {
  test('charts show the jobs that ended by hour, and the time in each stage', async () => {
    const { page, shown, sql } = fixture();
    assert.equal(await shown('hour').count(), 24);
    const [ended] = await sql`
      select count(*) filter (where stage = 'complete')::int as complete, count(*) filter (where stage = 'cancelled')::int as cancelled
      from public.mashup_jobs where finished_at is not null`;
    const hours = panel(fixture(), 'Jobs by hour');
    await hours
      .getByText(`${ended?.complete} complete · ${ended?.cancelled} cancelled · 0 failed in 24 hours`)
      .waitFor();
    assert.match((await hours.getByRole('img').getAttribute('aria-label')) ?? '', /^\d+:00 \d complete/);
    // The bar of the fullest hour fills its box.
    const [box, ...bars] = await shown('hour')
      .filter({ has: page.locator('.bg-good:not([style*=" 0%"])') })
      .first()
      .evaluate((hour) => [hour, ...hour.children].map((element) => element.clientHeight));
    assert.ok((box ?? 0) > 50, `${box} px`);
    const drawn = bars.reduce((sum, height) => sum + height, 0);
    assert.ok(Math.abs(drawn - (box ?? 0)) <= 2, `${drawn} of ${box} px`);
    const times = panel(fixture(), 'Throughput');
    assert.match(await times.innerText(), /Render\s+\d+ passed[^]*p50 [\d.]+ s · p95 [\d.]+ s/);
    assert.deepEqual(await pageFaults(page), []);
  });
}

/** Tests of pauses of each scope. */
export function testPauses(fixture: () => StudioFixture, jobId: () => string): void {
  testPausesBeforeTask(fixture, jobId);
  testPausesOfLiveJob(fixture, jobId);
}

function testPausesBeforeTask(fixture: () => StudioFixture, jobId: () => string): void {
  for (const { what, scope, key } of [
    { what: 'a kind of task', scope: 'kind', key: 'render' },
    { what: 'a service', scope: 'service', key: 'processing' },
  ]) {
    test(`the operator pauses ${what}: a new task waits, the page shows the pause, and a click ends it`, async () => {
      await toOverview(fixture());
      await press(fixture(), `Pause ${scope} ${key}`);
      await panel(fixture(), 'Pauses').waitFor();
      assert.deepEqual(await currentPauses(fixture()), [{ scope, key }]);
      if (scope === 'service') {
        const status = await mashup(['status', '--data-dir', fixture().stack.info.dataDir]);
        assert.match(status.stdout, /processing +http\S+ +up, paused\n/, status.stderr);
      }
      assert.deepEqual(await pageFaults(fixture().page), []);
      await renderControls(fixture()).replay(jobId());
      await expectPausedAndResume(fixture(), jobId(), `${scope} ${key}`);
    });
  }
}

function testPausesOfLiveJob(fixture: () => StudioFixture, jobId: () => string): void {
  for (const { what, scope, name, key } of [
    { what: 'one job', scope: 'job', name: () => `job ${jobId()}`, key: jobId },
    { what: 'everything', scope: 'system', name: () => 'everything', key: () => '' },
  ]) {
    test(`the operator pauses ${what}: a live job waits, the page shows the pause, and a click ends it`, async () => {
      const { hold, release, replay } = renderControls(fixture());
      const pauses = panel(fixture(), 'Pauses');
      await hold();
      await toOverview(fixture());
      await replay(jobId());
      const live = panel(fixture(), 'Live jobs').getByRole('link').filter({ hasText: 'waiting for pause' });
      await live.waitFor();
      // The page of a job has the button that pauses it, that of all the one that pauses everything.
      if (scope === 'job') await live.click();
      await press(fixture(), `Pause ${name()}`);
      await pauses.getByText(name()).first().waitFor();
      await release();
      await pauses.getByText('kind render', { exact: true }).first().waitFor({ state: 'detached' });
      assert.deepEqual(await currentPauses(fixture()), [{ scope, key: key() }]);
      await expectPausedAndResume(fixture(), jobId(), name());
    });
  }
}

function press({ page }: StudioFixture, button: string): Promise<void> {
  return page.getByRole('button', { name: button, exact: true }).click();
}

async function currentPauses({ sql }: StudioFixture): Promise<object[]> {
  return (await sql`select scope, key from mashup.pauses`).map((pause) => ({ ...pause }));
}

/** Asserts that the page shows the pause and the waiting job, then ends the pause by a click. */
async function expectPausedAndResume(fixture: StudioFixture, jobId: string, what: string): Promise<void> {
  const pauses = panel(fixture, 'Pauses');
  await pauses.getByText(what).first().waitFor();
  await toOverview(fixture);
  await panel(fixture, 'Stuck jobs')
    .getByRole('link', { name: /^Render for \d+:\d+: Paused/ })
    .waitFor();
  await panel(fixture, 'Live jobs').getByText('waiting for pause').waitFor();
  await pauses.getByRole('button', { name: /^Resume/ }).click();
  await pauses.waitFor({ state: 'detached' });
  await expectRunning(fixture, jobId);
  await panel(fixture, 'Stuck jobs').waitFor({ state: 'detached' });
}

/** Waits until the render task runs again, then cancels the job: its completion is tested elsewhere. */
async function expectRunning({ sql }: StudioFixture, jobId: string): Promise<void> {
  await until('the render task runs', async () => {
    const [task] = await sql`
      select from mashup.tasks where job_id = ${jobId} and kind = 'render' and state = 'running'`;
    return task !== undefined;
  });
  await sql`select mashup.cancel(${jobId})`;
}

/** Tests of an open circuit breaker: a service is killed while it renders. */
export function testCircuitBreakers(fixture: () => StudioFixture, jobId: () => string): void {
  test('an unavailable service is shown with its error and the next probe, and as available when it is back', async () => {
    const { page, shown, sql, stack } = fixture();
    const { replay, reaches } = renderControls(fixture());
    // The checks of workers would write another error, and have the circuit probed at once.
    await sql`
      update mashup.settings set value = case name when 'circuit_failures' then '1' when 'circuit_open_sec' then '6' else '600' end::jsonb
      where name in ('circuit_failures', 'circuit_open_sec', 'service_check_sec', 'service_recheck_sec')`;
    const circuit = shown('circuit').filter({ hasText: 'processing' });
    await circuit.getByText(/^available · 0 of 1 running/).waitFor();
    await replay(jobId());
    await until('the render task runs', async () => {
      const [task] = await sql`select from mashup.tasks where kind = 'render' and state = 'running'`;
      return task !== undefined;
    });
    const pid = stack.parts.find((part) => part.name === 'processing')?.pid();
    assert.ok(pid);
    process.kill(pid, 'SIGKILL');
    await circuit.getByText(/unavailable, next probe in \d+ s/).waitFor();
    const [health] = await sql`select last_error from mashup.service_health where service = 'processing'`;
    assert.ok((await circuit.innerText()).includes(String(health?.last_error)), String(health?.last_error));
    await panel(fixture(), 'Stuck jobs').getByText('Not available: processing').waitFor();
    assert.deepEqual(await pageFaults(page), []);
    await reaches(jobId(), 'complete');
    await circuit.getByText(/^available/).waitFor({ timeout: WORK_MS });
  });
}

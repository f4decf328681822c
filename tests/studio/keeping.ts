/** What becomes of mashups: library, account, others who try, and the operator. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultsOf, shiftOf } from './world.ts';
import type { StudioWorld } from './world.ts';

const ACCOUNT = { email: 'listener@example.com', password: 'correct horse' };
const STEADY = 0.02;

export function keepingMashups(world: () => StudioWorld): void {
  test('the library lists the versions, filters them by state and deletes one', async () => {
    const { page, shown, sql, complaints } = world();
    await page.goto(`${world().stack.info.apiUrl}/#/library`);
    await page.reload();
    await shown('library-item').nth(1).waitFor();
    assert.equal(await shown('library-item').count(), 2);
    assert.deepEqual(await faultsOf(page), []);
    assert.ok((await shiftOf(page)) < STEADY, `layout shift ${await shiftOf(page)}`);
    await page.getByRole('button', { name: 'Failed' }).click();
    await page.getByText('No mashup is failed.').waitFor();
    assert.equal(await shown('library-item').count(), 0);
    await page.getByRole('button', { name: 'Complete' }).click();
    const newest = shown('library-item').first();
    await newest.getByRole('button', { name: /^Delete/ }).click();
    await newest.getByRole('button', { name: 'Delete it' }).click();
    await page.waitForFunction(() => document.querySelectorAll('[data-testid=library-item]').length === 1);
    const [left] = await sql`select count(*)::int as n from public.mashup_jobs where stage = 'complete'`;
    assert.equal(left?.n, 1);
    assert.deepEqual(complaints, []);
  });

  test('a guest becomes an account and finds the mashups again on another device', async () => {
    const { page, shown, stranger } = world();
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByText('You are a guest').waitFor();
    assert.deepEqual(await faultsOf(page), []);
    await page.getByLabel('E-mail').fill(ACCOUNT.email);
    await page.getByLabel('Password').fill(ACCOUNT.password);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText(`Signed in as ${ACCOUNT.email}.`).waitFor();
    await page.getByRole('link', { name: 'Library' }).click();
    await shown('library-item').waitFor();

    const other = await stranger();
    await other.getByRole('link', { name: 'Library' }).click();
    await other.getByTestId('library-empty').waitFor();
    assert.deepEqual(await faultsOf(other), []);
    await other.getByRole('link', { name: 'Account' }).click();
    await other.getByLabel('E-mail').fill(ACCOUNT.email);
    await other.getByLabel('Password').fill('wrong horse');
    await other.getByRole('button', { name: 'Sign in' }).click();
    assert.match(await other.getByRole('alert').innerText(), /Invalid login credentials\n+Check e-mail and password/);
    await other.getByLabel('Password').fill(ACCOUNT.password);
    await other.getByRole('button', { name: 'Sign in' }).click();
    await other.getByText(`Signed in as ${ACCOUNT.email}.`).waitFor();
    await other.getByRole('link', { name: 'Library' }).click();
    await other.getByTestId('library-item').waitFor();
    await other.context().close();
  });

  test("another user's mashup is refused", async () => {
    const { sql, stack, stranger } = world();
    const [job] = await sql`select id from public.mashup_jobs where stage = 'complete'`;
    const page = await stranger();
    await page.goto(`${stack.info.apiUrl}/#/mashup/${job?.id}`);
    await page.getByText('You are not signed in.').waitFor();
    await page.goto(stack.info.apiUrl);
    await page.getByRole('button', { name: /^Slow Harbor/ }).click();
    await page.getByTestId('song-card').waitFor();
    await page.goto(`${stack.info.apiUrl}/#/mashup/${job?.id}`);
    await page.getByText(`There is no mashup ${job?.id}.`).waitFor();
    assert.deepEqual(await faultsOf(page), []);
    await page.context().close();
  });
}

/** The operator's page, on a stack on which a job has been made and one has failed. */
export function operating(world: () => StudioWorld): void {
  test('no other key than the service role key opens the operator page', async () => {
    const { page, shown, stack } = world();
    await page.getByRole('link', { name: 'Operator' }).click();
    assert.deepEqual(await faultsOf(page), []);
    await page.getByLabel('Service role key').fill(stack.info.anonKey);
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByText('This key may not operate.').waitFor();
    await page.getByRole('button', { name: 'Lock' }).click();
    await page.getByLabel('Service role key').fill(stack.info.serviceRoleKey);
    await page.getByRole('button', { name: 'Open' }).click();
    await shown('operator-board').waitFor();
  });

  test('the operator sees stages, failures by reason, services and times', async () => {
    const { page, shown, sql } = world();
    const stages = await sql<{ stage: string; jobs: number }[]>`
      select stage, count(*)::int as jobs from public.mashup_jobs group by stage`;
    for (const { stage, jobs } of stages) {
      const words = { complete: 'Complete', failed: 'Failed' }[stage];
      if (words)
        await shown('operator-board').locator('dl > div', { hasText: words }).getByText(String(jobs)).waitFor();
    }
    const failures = page.getByRole('region', { name: 'Failures' });
    await failures.getByRole('button').first().click();
    await shown('story').waitFor();
    assert.match(await shown('story').innerText(), /torn[^]*TASKS[^]*analyze[^]*failed[^]*HISTORY/);
    const times = await page.getByRole('region', { name: 'Throughput' }).innerText();
    assert.match(times, /Render\n+.*passed · .* an hour\n+p50 [\d.]+ s · p95 [\d.]+ s/);
    assert.deepEqual(await faultsOf(page), []);
  });

  test('the operator pauses and resumes a service and everything, and sees a breaker open', async () => {
    const { page, sql } = world();
    const services = page.getByRole('region', { name: 'Services' });
    const pauses = async (): Promise<string[]> =>
      (await sql<{ scope: string; key: string }[]>`select scope, key from mashup.pauses order by 1`).map(
        ({ scope, key }) => `${scope} ${key}`,
      );
    await services.getByRole('button', { name: 'Pause processing' }).click();
    await services.getByText('paused').waitFor();
    await services.getByRole('button', { name: 'Pause everything' }).click();
    await services.getByRole('button', { name: 'Resume everything' }).waitFor();
    assert.deepEqual(await pauses(), ['service processing', 'system ']);
    await services.getByRole('button', { name: 'Resume everything' }).click();
    await services.getByRole('button', { name: 'Resume processing' }).click();
    await services.getByRole('button', { name: 'Pause processing' }).waitFor();
    assert.deepEqual(await pauses(), []);
    await sql`update mashup.circuits set state = 'open', last_error = 'no answer', opened_at = now(), probe_at = now() + interval '1 hour'
      where service = 'separation'`;
    await services.getByText(/away/).waitFor();
    await services.getByText('no answer').waitFor();
    await sql`update mashup.circuits set state = 'closed', opened_at = null, probe_at = null, last_error = null where service = 'separation'`;
    await page.waitForFunction(() => !/away/.test(document.querySelector('[aria-label=Services]')?.textContent ?? ''));
  });

  test('the operator replays a job by a click, follows its story with payloads, and cancels it', async () => {
    const { page, shown, sql } = world();
    const [job] =
      await sql`select id, epoch from public.mashup_jobs where stage = 'cancelled' and hold is null limit 1`;
    await page
      .getByRole('region', { name: 'Ended jobs' })
      .locator('button', { has: page.locator('.bg-soft') })
      .click();
    const story = shown('story');
    await story.getByText(String(job?.id)).waitFor();
    await story.getByRole('button', { name: 'Plan', exact: true }).click();
    await story.getByText(`epoch ${Number(job?.epoch) + 1}`).waitFor();
    await page.getByRole('region', { name: 'Live jobs' }).getByText(String(job?.id).slice(0, 8)).waitFor();
    const detail = story.locator('details').last();
    await detail.locator('summary').click();
    assert.doesNotThrow(async () => JSON.parse(await detail.locator('pre').innerText()) as unknown);
    assert.deepEqual(await faultsOf(page), []);
    await story.getByRole('button', { name: 'Cancel the job' }).click();
    await story.getByRole('button', { name: 'Retry' }).waitFor();
  });
}

/** Tests of the operator's list of jobs, of operations on all jobs of a filter, and of the waterfall of a job with its log lines. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openOperatorPage } from './operator-page-tests.ts';
import { pageFaults, pressByKeyboard } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

const hashOf = ({ page }: StudioFixture): string => new URL(page.url()).hash;
/** Failed jobs of another user. More than one page has. */
const FAILED = 60;

/** Adds ended jobs of one more user, and a link by which a mashup is shared. */
async function addJobs({ sql }: StudioFixture): Promise<string> {
  const [user] = await sql<{ id: string }[]>`
    insert into auth.users (id, email) values (gen_random_uuid(), 'other@example.test') returning id`;
  assert.ok(user);
  await sql.begin(async (tx) => {
    await tx`alter table public.mashup_jobs disable trigger user`;
    await tx`
      insert into public.mashup_jobs (user_id, stage, status, songs, title, error_code, error_message, stopped_stage, current_step, finished_at)
      select ${user.id}, 'failed', 'failed', '[{"song_id": "a", "name": "Tidal", "artist": "A", "path": "x", "state": "ready"}]', 'Number ' || n,
        case when n % 2 = 0 then 'even_fault' else 'odd_fault' end, 'It did not work.', 'rendering', 'Failed', now() - make_interval(mins => n)
      from generate_series(1, ${FAILED}) n`;
    await tx`alter table public.mashup_jobs enable trigger user`;
  });
  return user.id;
}

/** Tests of filters, of pages and of bulk operations. */
export function testJobSearch(fixture: () => StudioFixture, jobId: () => string): void {
  testFilters(fixture, jobId);
  testBulk(fixture);
}

function testFilters(fixture: () => StudioFixture, jobId: () => string): void {
  test('the operator filters all jobs; each list and page has an address, and back and forward go through them', async () => {
    const { page, shown } = fixture();
    await openOperatorPage(fixture());
    await addJobs(fixture());
    await page.getByRole('link', { name: 'All jobs', exact: true }).click();
    await shown('listed-job').nth(49).waitFor();
    await page.getByLabel('Stage').selectOption('failed');
    await page.waitForFunction(() => location.hash === '#/operator/jobs?stage=failed');
    await shown('listed-job').filter({ hasText: 'Number 50' }).waitFor();
    await page.getByRole('link', { name: 'Older' }).click();
    await shown('listed-job').filter({ hasText: 'Number 60' }).waitFor();
    assert.equal(await shown('listed-job').count(), FAILED - 50);
    const older = page.url();
    await page.goBack();
    await shown('listed-job').filter({ hasText: 'Number 50' }).waitFor();
    await page.getByLabel('Title, song, error or id').fill('tidal 7');
    await page.keyboard.press('Enter');
    // The jobs of the page before may have one of that number as well.
    await page.waitForFunction(() => document.querySelectorAll('[data-testid=listed-job]').length === 1);
    await shown('listed-job').filter({ hasText: 'Number 7' }).waitFor();
    assert.equal(hashOf(fixture()), '#/operator/jobs?stage=failed&text=tidal+7');
    assert.deepEqual(await pageFaults(page), []);

    await page.goto(older);
    await shown('listed-job').filter({ hasText: 'Number 60' }).waitFor();
    await page.goto(`${older.split('#')[0]}#/operator/jobs?stage=complete&service=&text=${jobId().slice(0, 8)}`);
    await shown('listed-job')
      .filter({ hasText: jobId().slice(0, 8) })
      .waitFor();
    assert.equal(await page.getByLabel('Stage').inputValue(), 'complete', 'the form shows the filter of the address');
    await page.goto(`${older.split('#')[0]}#/operator/jobs?stage=nope`);
    await page.getByText('There is no stage "nope".').waitFor();
  });
}

function testBulk(fixture: () => StudioFixture): void {
  test('the operator retries all jobs of a filter after a preview, and reads how many were refused, and why', async () => {
    const { page, sql } = fixture();
    await page.goto(`${fixture().stack.info.apiUrl}/#/operator/jobs?error=even_fault`);
    const bulk = page.getByRole('region', { name: 'All jobs of the filter' });
    await bulk.getByRole('button', { name: 'Cancel…' }).click();
    await bulk.getByText('Cancel 30 jobs of 1 user?').waitFor();
    await bulk.getByText(/By stage: Failed 30\. By user: other@example\.test 30\./).waitFor();
    const confirm = bulk.getByRole('button', { name: 'Cancel 30 jobs of 1 user' });
    assert.ok(await confirm.isDisabled(), 'the number has to be typed');
    await bulk.getByLabel('Type 30 to confirm').fill('30');
    assert.deepEqual(await pageFaults(page), []);
    await confirm.click();
    await bulk.getByText('0 of 30 jobs cancelled, 30 refused.').waitFor();
    assert.ok((await bulk.locator('summary').first().innerText()).startsWith('30 × '));
    const [left] = await sql`select count(*)::int as n from public.mashup_jobs where error_code = 'even_fault'`;
    assert.equal(left?.n, 30);
    await sql`delete from auth.users where email = 'other@example.test'`;
  });
}

/** Tests of the waterfall of a job that is complete, and of the log lines of its tasks. */
export function testWaterfall(fixture: () => StudioFixture, jobId: () => string): void {
  test('a job is drawn as a waterfall with a bar for each task; the keyboard opens one with its attempts, lines and payload', async () => {
    const { page, shown, sql } = fixture();
    await openOperatorPage(fixture());
    await page.goto(`${fixture().stack.info.apiUrl}/#/operator/${jobId()}`);
    await shown('waterfall').waitFor();
    const tasks = await sql<{ id: string; kind: string; epoch: number }[]>`
      select id, kind, epoch from mashup.tasks where job_id = ${jobId()} order by epoch desc, id`;
    const latest = tasks.filter(({ epoch }) => epoch === tasks[0]?.epoch);
    const chart = page.getByRole('region', { name: `Tasks of epoch ${tasks[0]?.epoch}` });
    assert.equal(await chart.getByTestId('waterfall-task').count(), latest.length);
    const bar = chart.getByRole('link', { name: /^render, epoch \d+; waited [\d.]+ .*; ran .* attempts?; done$/ });
    await pressByKeyboard(page, bar);
    const detail = shown('task-detail');
    await detail.getByRole('heading', { name: /^render · done$/ }).waitFor();
    const id = latest.find(({ kind }) => kind === 'render')?.id;
    assert.equal(hashOf(fixture()), `#/operator/${jobId()}?task=${id}`);
    await shown('log-line').filter({ hasText: 'render started' }).first().waitFor();
    await shown('log-line').filter({ hasText: 'call to processing: ok' }).first().waitFor();
    await shown('log-line').filter({ hasText: 'render finished' }).first().waitFor();
    const [line] = await sql`select worker_id from mashup.task_logs where task_id = ${id ?? null} limit 1`;
    const worker = String(line?.worker_id).slice(0, 8);
    await detail.getByRole('cell', { name: new RegExp(`^${worker}`) }).waitFor();
    await detail.getByRole('button', { name: 'Load what it made' }).click();
    const made = detail.locator('details').filter({ has: page.getByText('made', { exact: true }) });
    await made.locator('summary').click();
    assert.ok('quality' in (JSON.parse(await made.locator('pre').innerText()) as object));
    assert.deepEqual(await pageFaults(page), []);
  });

  test('the operator sees that a mashup is shared, and takes its link down with a reason', async () => {
    const { page, shown, sql } = fixture();
    await sql`update public.mashup_jobs set shared_at = now() where id = ${jobId()}`;
    await sql`insert into public.mashup_shares (token, job_id) values ('AAAAAAAAAAAAAAAAAAAAAAAA', ${jobId()})`;
    const share = shown('share-state');
    await share.getByText('Shared by a public link since').waitFor();
    await share.getByLabel('Reason, which its owner reads').fill('A complaint');
    await share.getByRole('button', { name: 'Take the link down' }).click();
    await share.getByText(/The public link was taken down on .*: A complaint/).waitFor();
    await share.getByRole('button', { name: 'Allow sharing again' }).click();
    await share.waitFor({ state: 'detached' });
    assert.deepEqual(await pageFaults(page), []);
  });
}

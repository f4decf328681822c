/** Tests of the library: versions in groups, search, order, filter, pages, playing and deleting. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageFaults, shiftOf, until } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

/** Allowed layout shift. */
const MAX_SHIFT = 0.02;
/** Rows that are added, more than two pages. */
const ROWS = 45;

/** Runs statements on jobs as they are: no trigger changes them. */
const withoutTriggers = ({ sql }: StudioFixture, statement: string): Promise<unknown> =>
  sql.begin((tx) =>
    tx.unsafe(`
      alter table public.mashup_jobs disable trigger user;
      ${statement};
      alter table public.mashup_jobs enable trigger user`),
  );

/** Adds copies of the newest complete job, each a mashup of its own with a title and a wish, older than all others, or newer. */
const addRows = (fixture: StudioFixture, count = ROWS, isNewer = false): Promise<unknown> =>
  withoutTriggers(
    fixture,
    `insert into public.mashup_jobs (user_id, stage, status, songs, options, title, result_path, result, created_at, idempotency_key)
    select j.user_id, j.stage, j.status, j.songs, jsonb_build_object('wishes', case n when 7 then 'calm like a river, 100% acoustic' else 'loud' end),
      'Copy ' || lpad(n::text, 2, '0'), 'generated/copy', jsonb_set(j.result, '{duration_sec}', to_jsonb(30 + n)),
      j.created_at ${isNewer ? '+' : '-'} n * interval '1 day', 'library-' || n
    from generate_series(1, ${count}) n, (select * from public.mashup_jobs where stage = 'complete' order by created_at desc limit 1) j`,
  );
const removeRows = (fixture: StudioFixture): Promise<unknown> =>
  withoutTriggers(fixture, `delete from public.mashup_jobs where idempotency_key like 'library-%'`);

/** Asks for the second page, and changes a row that is not shown while that page is on its way: all pages are read again. */
async function showMoreDuringChange(fixture: StudioFixture): Promise<void> {
  const { page } = fixture;
  const isList = (url: URL): boolean => url.pathname.endsWith('/rpc/list_mashups');
  const reads: (() => Promise<void>)[] = [];
  let isHeld = true;
  await page.route(isList, async (route) => {
    if (isHeld) reads.push(() => route.continue());
    else await route.continue();
  });
  await page.getByRole('button', { name: `Show more (${ROWS - 19} left)` }).click();
  await until('the second page is asked for', async () => reads.length > 0);
  const asked = reads.length;
  await withoutTriggers(fixture, `update public.mashup_jobs set title = title where title = 'Copy 01'`);
  await until('the pages are read again', async () => reads.length > asked);
  isHeld = false;
  for (const read of reads.reverse()) await read();
  await page.getByRole('button', { name: `Show more (${ROWS - 39} left)` }).waitFor();
  await page.unroute(isList);
}

/** Tests of the library of a user with two versions of one mashup; one is left afterwards. */
export function testLibrary(fixture: () => StudioFixture): void {
  testOldVersions(fixture);
  testVersions(fixture);
  testSearch(fixture);
}

function testOldVersions(fixture: () => StudioFixture): void {
  test('the page of a mashup shows all its versions, however many mashups are newer', async () => {
    const { page, shown, sql, stack } = fixture();
    const [version] = await sql`select id from public.mashup_jobs where first_id is not null and stage = 'complete'`;
    await addRows(fixture(), 70, true);
    await page.goto(`${stack.info.apiUrl}/#/mashup/${String(version?.id)}`);
    await page.reload();
    await shown('versions')
      .getByRole('button', { name: /^Version 2/, pressed: true })
      .waitFor();
    await removeRows(fixture());
  });
}

function testVersions(fixture: () => StudioFixture): void {
  test('the library lists versions below their first mashup, plays one, filters by state and deletes one', async () => {
    const { page, shown, sql, pageErrors } = fixture();
    await page.goto(`${fixture().stack.info.apiUrl}/#/library`);
    await page.reload();
    await shown('library-count').getByText('1 mashup, 2 versions').waitFor();
    assert.equal(await shown('library-group').count(), 1);
    await page.getByText('2 versions', { exact: true }).click();
    await page.getByRole('link', { name: /^Version 1: / }).waitFor();
    assert.deepEqual(await pageFaults(page), []);
    assert.ok((await shiftOf(page)) < MAX_SHIFT, `layout shift ${await shiftOf(page)}`);
    const newest = shown('library-item').first();
    await newest.getByRole('button', { name: /^Preview/ }).click();
    await newest.getByRole('button', { name: /^Pause/ }).click();
    await page.getByRole('button', { name: 'Failed' }).click();
    await shown('library-count').getByText('No mashup in the state “Failed”').waitFor();
    await page.getByRole('button', { name: 'Complete' }).click();
    await newest.getByRole('button', { name: /^Delete/ }).click();
    await newest.getByRole('button', { name: 'Delete it' }).click();
    await shown('library-count')
      .getByText(/^1 mashup in/)
      .waitFor();
    const [left] = await sql`select count(*)::int as n from public.mashup_jobs where stage = 'complete'`;
    assert.equal(left?.n, 1);
    assert.deepEqual(pageErrors, []);
  });
}

function testSearch(fixture: () => StudioFixture): void {
  test('the library is searched and sorted by the database, page by page, and the address holds what is shown', async () => {
    const { page, shown, stack } = fixture();
    const titles = (): Promise<string[]> => shown('library-group').locator('a').allInnerTexts();
    const has = (text: string | RegExp): Promise<void> => shown('library-count').getByText(text).waitFor();
    await addRows(fixture());
    await page.goto(`${stack.info.apiUrl}/#/library?sort=oldest`);
    await page.reload();
    await has(`${ROWS + 1} mashups`);
    assert.deepEqual((await titles()).slice(0, 2), [`Copy ${ROWS}`, `Copy ${ROWS - 1}`]);
    assert.equal((await titles()).length, 20);
    await showMoreDuringChange(fixture());
    await page.getByRole('button', { name: `Show more (${ROWS - 39} left)` }).click();
    await page.getByText('Show more').waitFor({ state: 'detached' });
    assert.equal(new Set(await titles()).size, ROWS + 1);
    assert.match(page.url(), /#\/library\?sort=oldest&pages=3$/);
    await page.goBack();
    await page.getByRole('button', { name: `Show more (${ROWS - 39} left)` }).waitFor();
    assert.equal((await titles()).length, 40);

    await page.getByRole('searchbox', { name: 'Search' }).pressSequentially('100% RIVER');
    await has('1 mashup with “100% RIVER”');
    assert.deepEqual(await titles(), ['Copy 07']);
    assert.match(page.url(), /#\/library\?search=100%25\+RIVER&sort=oldest$/);
    await page.reload();
    await has('1 mashup with “100% RIVER”');
    assert.equal(await page.getByRole('searchbox', { name: 'Search' }).inputValue(), '100% RIVER');
    assert.deepEqual(await pageFaults(page), []);
    await page.goBack();
    await has(`${ROWS + 1} mashups`);
    assert.match(page.url(), /#\/library\?sort=oldest&pages=2$/, 'all that was typed is one step');
    assert.equal(await page.getByRole('searchbox', { name: 'Search' }).inputValue(), '');
    await page.getByRole('searchbox', { name: 'Search' }).fill('\u0000copy\u0007 neon');
    await page.keyboard.press('Enter');
    await has(`${ROWS} mashups with`);
    await page.getByRole('searchbox', { name: 'Search' }).fill('copy neon');
    await has(`${ROWS} mashups with “copy neon”`);
    await page.getByRole('combobox', { name: 'Order' }).selectOption('Longest first');
    await page.waitForFunction(
      (title) => document.querySelector('[data-testid=library-group] a')?.textContent === title,
      `Copy ${ROWS}`,
    );
    await page.goBack();
    await page.goBack();
    await has(`${ROWS} mashups with`);
    assert.match(page.url(), /sort=oldest$/);
    await page.getByRole('searchbox', { name: 'Search' }).fill('there is no such thing');
    await has('No mashup with “there is no such thing”');
    await page.getByRole('button', { name: 'Show all mashups' }).click();
    await has(`${ROWS + 1} mashups`);
    assert.match(page.url(), /#\/library$/);
    await removeRows(fixture());
    await page.reload();
    await has('1 mashup');
    assert.deepEqual(fixture().pageErrors, []);
  });
}

/** Tests of wishes in words: their reading while they are written, the choice of a length, and what became of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageFaults, WORK_MS } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

/** Tests of the page with two songs that are analysed. Nothing is started. */
export function testWishes(fixture: () => StudioFixture): void {
  test('understood wishes are removable chips, other parts are quoted, nothing understood starts nothing; lengths are checked', async () => {
    const page = await fixture().stranger();
    for (const name of ['Neon Drive', 'Paper Kites']) {
      await page.getByRole('button', { name: new RegExp(`^${name}`) }).click();
    }
    await page.getByTestId('compatibility').waitFor({ timeout: WORK_MS });
    const field = page.getByLabel('Wishes', { exact: true });
    const reading = page.getByTestId('wish-reading');
    const chips = page.getByRole('list', { name: 'Understood wishes' }).getByRole('listitem');
    await field.fill('Paper Kites on vocals, a quiet start and add a saxophone');
    await reading.getByText('Not understood: “add a saxophone”.').waitFor();
    assert.deepEqual(await chips.allInnerTexts(), ['vocals from "Paper Kites"', 'quiet start']);
    assert.deepEqual(await pageFaults(page), []);
    await page.getByRole('button', { name: 'Remove “quiet start”' }).press('Enter');
    await page.waitForFunction(() => document.querySelectorAll('[data-testid=wish-reading] li').length === 1);
    assert.equal(await field.inputValue(), 'Paper Kites on vocals and add a saxophone');
    const spoken = 'Understood: vocals from "Paper Kites". Not understood: “add a saxophone”.';
    await page.getByRole('status').getByText(spoken, { exact: true }).waitFor();
    // The focus stays among the wishes, and returns to the field after the last one.
    await page.locator('[data-testid=wish-reading] button:focus').press('Enter');
    await page.waitForFunction(() => document.querySelectorAll('[data-testid=wish-reading] li').length === 0);
    await page.waitForFunction(() => document.activeElement?.tagName === 'INPUT');
    assert.equal(await field.evaluate((input) => input === document.activeElement), true);

    await field.fill('paint it blue');
    await page.getByRole('button', { name: 'Create the mashup' }).click();
    await page.getByText('Nothing of this was understood: “paint it blue”.').waitFor();
    assert.ok(!page.url().includes('/mashup/'), 'no mashup is started');
    assert.deepEqual(await pageFaults(page), []);

    const length = page.getByLabel('Length', { exact: true });
    assert.equal(await length.inputValue(), 'full');
    await length.selectOption('exact');
    const exact = page.getByLabel('Exact length in minutes and seconds');
    await exact.fill('12:00');
    await page.getByText('Write 0:20 to 10:00, e.g. 1:45.').waitFor();
    assert.deepEqual(await pageFaults(page), []);
    await exact.fill('0:45');
    assert.equal(await exact.getAttribute('aria-invalid'), 'false');
    await page.context().close();
  });
}

/** A test of a complete mashup: feedback is read, refused if nothing is understood, and its outcome is shown with the version. */
export function testWishOutcome(fixture: () => StudioFixture): void {
  test('what became of the feedback is shown, and feedback that is not understood makes no version', async () => {
    const { page, shown, sql, pageErrors } = fixture();
    const [version] = await sql`select id from public.mashup_jobs where parent_id is not null limit 1`;
    // A long word does not make the page wider.
    const credits = sql.json('Averyverylongname'.repeat(12));
    await sql`update public.mashup_plans set plan = jsonb_set(plan, '{masterplan,artistCredits}', ${credits}) where job_id = ${version?.id}`;
    await sql`update public.mashup_results set plan = jsonb_set(plan, '{masterplan,artistCredits}', ${credits}) where job_id = ${version?.id}`;
    await page.goto(`${fixture().stack.info.apiUrl}/#/mashup/${version?.id}`);
    await page.reload();
    await page.getByText('Averyverylongname').waitFor();
    await shown('wish-outcome').getByText('more bass').waitFor();
    const count = async (): Promise<number> =>
      Number((await sql`select count(*)::int as n from public.mashup_jobs where parent_id is not null`)[0]?.n);
    const before = await count();
    await page.getByLabel('What should change?').fill('paint it blue');
    await shown('collaboration').getByText('Not understood: “paint it blue”.').first().waitFor();
    assert.deepEqual(await pageFaults(page), []);
    await page.getByRole('button', { name: 'Make this version' }).click();
    await shown('collaboration').getByText('Nothing of this was understood').waitFor();
    assert.equal(await count(), before);
    assert.deepEqual(
      pageErrors.filter((text) => !text.includes('422')),
      [],
    );
    pageErrors.length = 0;
  });
}

/** A test of double clicks: they start one mashup, and do not answer the question of the first click. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WORK_MS } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

/** Registers the test. */
export function testDoubleClicks(fixture: () => StudioFixture): void {
  test('a double click starts one mashup, and deletes neither a mashup nor the account', async () => {
    const { sql, stranger } = fixture();
    const page = await stranger();
    for (const name of ['Neon Drive', 'Paper Kites'])
      await page.getByRole('button', { name: new RegExp(`^${name}`) }).click();
    await page.getByTestId('compatibility').waitFor({ timeout: WORK_MS });
    // Wishes are read before a mashup starts.
    await page.getByLabel('Wishes', { exact: true }).fill('a quiet start');
    await page.getByRole('button', { name: 'Create the mashup' }).dblclick();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Retry', exact: true }).waitFor();
    const id = page.url().split('/').pop() ?? '';
    const own = () =>
      sql`select id from public.mashup_jobs j where user_id = (select user_id from public.mashup_jobs where id = ${id})`;
    assert.deepEqual([...(await own())], [{ id }]);

    await page.getByRole('link', { name: 'Library' }).click();
    const row = page.getByTestId('library-item');
    await row.getByRole('button', { name: /^Delete/ }).dblclick();
    await row.getByRole('button', { name: 'Delete it' }).waitFor();
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByRole('button', { name: 'Delete my account' }).dblclick();
    await page.getByRole('button', { name: 'Keep it' }).click();
    assert.equal((await own()).length, 1);
    await sql`delete from public.mashup_jobs where id = ${id}`;
    await page.context().close();
  });
}

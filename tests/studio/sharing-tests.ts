/** Tests of the dialog by which the owner of a mashup shares it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openAsStranger, testExpiredLink, testSharedMarkupAndFrames, testSharedPage } from './shared-page-tests.ts';
import type { SharedLinks } from './shared-page-tests.ts';
import { pageFaults } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

/** Tests of a complete mashup whose page is open. They share it, and end with its link taken down. */
export function testSharing(fixture: () => StudioFixture, jobId: () => string): void {
  let links: SharedLinks = { page: '', embedCode: '' };
  testMakingLink(fixture, (made) => (links = made));
  testSharedPage(fixture, () => links);
  testExpiredLink(fixture, () => links);
  testSharedMarkupAndFrames(fixture, jobId, () => links);
  testEndOfLink(fixture, jobId, () => links);
}

function testMakingLink(fixture: () => StudioFixture, onMade: (links: SharedLinks) => void): void {
  test('a finished mashup is shared by a link that is made, copied and kept', async () => {
    const { page, shown, stack } = fixture();
    const dialog = shown('share-dialog');
    await page.getByRole('button', { name: 'Share', exact: true }).click();
    await dialog.getByRole('button', { name: 'Make a link' }).click();
    const field = dialog.getByRole('textbox', { name: 'Link' });
    const link = await field.inputValue();
    assert.ok(await field.evaluate((element) => element === document.activeElement), 'the focus is on the link');
    assert.match(link, new RegExp(`^${stack.info.apiUrl}/s/[\\w-]{24}$`));
    await dialog.getByRole('button', { name: 'Copy: Link' }).click();
    await dialog.getByText('Copied').waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), link);
    onMade({ page: link, embedCode: await dialog.getByRole('textbox', { name: /^HTML/ }).inputValue() });
    assert.deepEqual(await pageFaults(page), []);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    const button = page.getByRole('button', { name: 'Shared', exact: true });
    await button.waitFor();
    assert.ok(await button.evaluate((element) => element === document.activeElement), 'the focus returns');
    await button.click();
    assert.equal(await field.inputValue(), link);
    await dialog.getByRole('button', { name: 'Close' }).click();
  });
}

function testEndOfLink(fixture: () => StudioFixture, jobId: () => string, links: () => SharedLinks): void {
  test('a link that its owner revokes leads nowhere, and the owner of one that was taken down reads why', async () => {
    const { page, shown, sql } = fixture();
    const visitor = await openAsStranger(fixture(), links().page);
    const dialog = shown('share-dialog');
    await page.getByRole('button', { name: 'Shared', exact: true }).click();
    await dialog.getByRole('button', { name: 'Stop sharing' }).click();
    await dialog.getByRole('button', { name: 'Yes, stop sharing' }).click();
    await dialog.getByRole('button', { name: 'Make a link' }).waitFor();
    assert.equal((await visitor.reload())?.status(), 404);
    await visitor.getByRole('heading', { name: 'There is no mashup here' }).waitFor();
    assert.deepEqual(await pageFaults(visitor), []);
    await visitor.context().close();

    await sql`update mashup.settings set value = 'false' where name = 'sharing_enabled'`;
    await dialog.getByRole('button', { name: 'Make a link' }).click();
    await dialog.getByText('The operator has switched sharing off.').waitFor();
    await sql`update mashup.settings set value = 'true' where name = 'sharing_enabled'`;
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Share', exact: true }).click();
    await dialog.getByRole('button', { name: 'Make a link' }).click();
    await dialog.getByRole('textbox', { name: 'Link' }).waitFor();
    await sql`select mashup.take_down_share(${jobId()}, 'The holder of the rights objects.')`;
    await dialog.getByText('The holder of the rights objects.').waitFor();
    assert.deepEqual(await pageFaults(page), []);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await sql`select mashup.lift_share_take_down(${jobId()})`;
    await page.getByRole('button', { name: 'Share', exact: true }).click();
    await dialog.getByRole('button', { name: 'Make a link' }).waitFor();
    await takeDownAfterRead(fixture(), jobId());
    await dialog.getByRole('button', { name: 'Make a link' }).click();
    await dialog.getByText('Its sample is not cleared.').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    const unexpected = fixture().pageErrors.splice(0);
    assert.deepEqual(
      unexpected.filter((line) => !line.includes('/rpc/share_mashup')),
      [],
      'the console has the refused call alone',
    );
  });
}

/** Takes a link down right after the page has read it the next time. */
async function takeDownAfterRead({ page, sql }: StudioFixture, jobId: string): Promise<void> {
  await page.route(
    '**/rest/v1/mashup_shares?*',
    async (route) => {
      const response = await route.fetch();
      await sql`select mashup.take_down_share(${jobId}, 'Its sample is not cleared.')`;
      await route.fulfill({ response });
    },
    { times: 1 },
  );
}

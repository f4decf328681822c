/** Tests of the account, access by other users, and a replay by the operator. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { pageFaults } from './studio-fixture.ts';
import { openOperatorPage } from './operator-page-tests.ts';
import type { StudioFixture } from './studio-fixture.ts';

const ACCOUNT = { email: 'listener@example.com', password: 'correct horse' };

/** Tests of the account, with one complete mashup. */
export function testAccount(fixture: () => StudioFixture): void {
  testGuestToAccount(fixture);
  testForeignMashup(fixture);
  testAccountData(fixture);
  testEndedSession(fixture);
}

function testGuestToAccount(fixture: () => StudioFixture): void {
  test('a guest creates an account and sees the same mashups on another device', async () => {
    const { page, shown, stranger } = fixture();
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByText('You are a guest').waitFor();
    assert.deepEqual(await pageFaults(page), []);
    await page.getByLabel('E-mail').fill(ACCOUNT.email);
    await page.getByLabel('Password').fill(ACCOUNT.password);
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText(`Signed in as ${ACCOUNT.email}.`).waitFor();
    await page.getByText('Account created.', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Library' }).click();
    await shown('library-item').waitFor();

    const other = await stranger();
    await other.getByRole('link', { name: 'Library' }).click();
    await other.getByTestId('library-empty').waitFor();
    assert.deepEqual(await pageFaults(other), []);
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
    await other.getByRole('link', { name: 'Account' }).click();
    await other.getByRole('button', { name: 'Sign out' }).click();
    await other.getByText('You are not signed in.').waitFor();
    assert.equal(await other.getByText(/^Signed in/).count(), 0);
    await other.context().close();
  });
}

function testForeignMashup(fixture: () => StudioFixture): void {
  test("a user cannot open another user's mashup", async () => {
    const { sql, stack, stranger } = fixture();
    const [job] = await sql`select id from public.mashup_jobs where stage = 'complete'`;
    const page = await stranger();
    await page.goto(`${stack.info.apiUrl}/#/mashup/${job?.id}`);
    await page.getByText('You are not signed in.').waitFor();
    await page.goto(stack.info.apiUrl);
    await page.getByRole('button', { name: /^Slow Harbor/ }).click();
    await page.getByTestId('song-card').waitFor();
    await page.goto(`${stack.info.apiUrl}/#/mashup/${job?.id}`);
    await page.getByText(`There is no mashup ${job?.id}.`).waitFor();
    assert.deepEqual(await pageFaults(page), []);
    await page.context().close();
  });
}

function testAccountData(fixture: () => StudioFixture): void {
  test('a user downloads the data, and deletes the account after a second press', async () => {
    const { sql, stranger } = fixture();
    const page = await stranger();
    await page.getByRole('button', { name: /^Slow Harbor/ }).click();
    await page.getByTestId('song-card').waitFor();
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByText('You are a guest').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download my data' }).click(),
    ]);
    const { account } = JSON.parse(await readFile(await download.path(), 'utf8')) as { account: { id: string } };
    const users = () => sql`select from auth.users where id = ${account.id}`;
    assert.equal((await users()).length, 1);
    await page.getByRole('button', { name: 'Delete my account' }).click();
    assert.equal((await users()).length, 1);
    assert.deepEqual(await pageFaults(page), []);
    await page.getByRole('button', { name: 'Delete the account and everything in it' }).click();
    await page.getByText('You are not signed in.').waitFor();
    assert.equal((await users()).length, 0);
    await page.context().close();
  });
}

/** Replaces the session that the browser keeps by one that has expired and that the server does not renew. */
function breakSession(): void {
  for (const key of Object.keys(localStorage).filter((each) => each.endsWith('-auth-token'))) {
    const session = JSON.parse(localStorage.getItem(key) ?? '{}') as object;
    localStorage.setItem(key, JSON.stringify({ ...session, expires_at: 1, refresh_token: 'unknown' }));
  }
}

function testEndedSession(fixture: () => StudioFixture): void {
  test('the library of an ended session says that nobody is signed in, and asks for it', async () => {
    const { stranger } = fixture();
    const page = await stranger();
    await page.getByRole('link', { name: 'Library' }).click();
    await page.getByTestId('library-empty').getByRole('link', { name: 'Sign in' }).waitFor();
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByLabel('E-mail').fill(ACCOUNT.email);
    await page.getByLabel('Password').fill(ACCOUNT.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText(`Signed in as ${ACCOUNT.email}.`).waitFor();
    await page.getByRole('link', { name: 'Library' }).click();
    await page.getByTestId('library-item').waitFor();
    await page.evaluate(breakSession);
    await page.reload();
    await page.getByTestId('library-signed-out').waitFor();
    assert.equal(await page.getByTestId('library-empty').count(), 0);
    assert.deepEqual(await pageFaults(page), []);
    await page.getByTestId('library-signed-out').getByRole('link', { name: 'Sign in' }).click();
    await page.getByLabel('E-mail').waitFor();
    await page.context().close();
  });
}

/** Test of the operator's page: it opens with the account of the stack, and a click replays a job. */
export function testOperatorReplay(fixture: () => StudioFixture, jobId: () => string): void {
  test('the operator replays a job by a click; a wrong password does not open the page', async () => {
    const { page, shown, stack, sql } = fixture();
    await page.getByRole('link', { name: 'Operator' }).click();
    const form = page.getByRole('form', { name: 'Sign in as operator' });
    await form.getByLabel('E-mail').fill(stack.info.operator.email);
    await form.getByLabel('Password').fill('not the password');
    await form.getByRole('button', { name: 'Sign in' }).click();
    await form.getByRole('alert').waitFor();
    assert.equal(await shown('operator-board').count(), 0);
    await openOperatorPage(fixture());
    const [before] = await sql`select epoch from public.mashup_jobs where id = ${jobId()}`;
    await page.goto(`${stack.info.apiUrl}/#/operator/jobs?text=${jobId().slice(0, 8)}`);
    await page.getByRole('link', { name: new RegExp(jobId().slice(0, 8)) }).click();
    await shown('job-history').waitFor();
    assert.deepEqual(await pageFaults(page), []);
    await shown('job-history').getByRole('button', { name: 'Plan', exact: true }).click();
    await shown('job-history')
      .getByText(` · epoch ${Number(before?.epoch) + 1} · `)
      .waitFor();
    await shown('job-history').getByRole('button', { name: 'Cancel the job' }).click();
    await shown('job-history').getByRole('button', { name: 'Retry' }).waitFor();
  });
}

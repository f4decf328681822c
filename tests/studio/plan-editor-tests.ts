/** Tests of edits by hand in the timeline of a complete mashup: by pointer, by keyboard, with undo, and as a new version. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import type { Plan } from '../../schema.ts';
import { pageFaults, pressByKeyboard, WORK_MS } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

const bars = (page: Page): Promise<number[]> =>
  page.getByTestId('edge').evaluateAll((edges) => edges.map((edge) => Number(edge.getAttribute('aria-valuenow'))));
const edits = (page: Page): Promise<string[]> => page.getByTestId('edit-list').locator('li').allInnerTexts();

/** Returns an edge that the songs allow to move, and the direction: -1 or 1. Leaves the plan as it was. */
async function movableEdge(page: Page): Promise<{ at: number; by: number }> {
  const before = await bars(page);
  for (let at = 0; at < before.length - 1; at++) {
    for (const [by, key] of [[-1, 'ArrowLeft'] as const, [1, 'ArrowRight'] as const]) {
      await page.getByTestId('edge').nth(at).focus();
      await page.keyboard.press(key);
      if ((await bars(page))[at] === before[at]) continue;
      await page.getByRole('button', { name: 'Undo' }).click();
      return { at, by };
    }
  }
  throw new Error('no edge can be moved');
}

/** Drags an edge by one bar, moves it by keys, undoes and redoes. Leaves the plan as it was. */
async function moveEdge({ page, shown }: StudioFixture): Promise<void> {
  const before = await bars(page);
  const { at, by } = await movableEdge(page);
  assert.deepEqual(await bars(page), before);
  const edge = shown('edge').nth(at);
  assert.match((await edge.getAttribute('aria-valuetext')) ?? '', /^\S.*: \d+ bars?$/);
  const box = await edge.boundingBox();
  const strip = await shown('section-strip').getByRole('group').boundingBox();
  const barPx = strip!.width / before.reduce((a, b) => a + b, 0);
  const [x, y] = [box!.x + box!.width / 2, box!.y + box!.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + by * barPx * 0.6, y);
  await page.mouse.move(x + by * barPx, y);
  await page.mouse.up();
  const dragged = before.map((bars, i) => bars + (i === at ? by : i === at + 1 ? -by : 0));
  assert.deepEqual(await bars(page), dragged);
  assert.match(
    (await edits(page)).join(),
    new RegExp(`^Section ${at + 1} .*ends 1 bar ${by < 0 ? 'earlier' : 'later'}\\.$`),
  );
  await page.getByRole('button', { name: 'Undo' }).click();
  assert.deepEqual(await bars(page), before);
  assert.equal(await page.getByRole('button', { name: 'Render this version' }).isDisabled(), true);
  await page.getByRole('button', { name: 'Redo' }).click();
  assert.deepEqual(await bars(page), dragged);

  await edge.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowLeft');
  assert.match(await shown('edit-refusal').innerText(), /^Section \d+ .*cannot (be|begin) /);
  await page.getByRole('button', { name: 'Reset' }).click();
  assert.deepEqual(await bars(page), before);
}

/** Presses what is not possible: the length of the test's mashups has no room for a repeated section. The reason is said. */
async function pressImpossible({ page, shown }: StudioFixture): Promise<void> {
  const impossible = shown('section-editor').getByRole('button', { name: 'Repeat', disabled: true });
  const before = await bars(page);
  await impossible.focus();
  await page.keyboard.press('Enter');
  await shown('edit-refusal').and(page.locator(':not(:text("Drag an edge"))')).waitFor();
  assert.deepEqual(await bars(page), before);
}

/** Changes the level of one layer and mutes another. */
async function changeLayers({ page, shown }: StudioFixture): Promise<void> {
  await shown('layer-editor').getByRole('slider').first().focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  assert.match((await edits(page)).join(), /^Section 1 .*: the \w+ of ".+" at [-+]?[\d.]+ dB\.$/);
  const mutes = shown('layer-editor').getByRole('button', { name: /^Mute / });
  const names = (): Promise<(string | null)[]> =>
    mutes.evaluateAll((buttons) => buttons.map((button) => button.getAttribute('aria-label')));
  const before = await names();
  await mutes.first().click();
  assert.deepEqual(await names(), before, 'a muted layer stays in its place');
  assert.equal((await edits(page)).length, 2);
}

/** Opens the other version, comes back, and loads the page again: the edits are there, with undo and redo. */
async function leaveAndComeBack({ page, shown, jobId }: StudioFixture): Promise<void> {
  const [edited, before] = [jobId(), await edits(page)];
  await shown('versions')
    .getByRole('button', { name: /Version 2/ })
    .click();
  await shown('unsent-edits').getByText('Version 1 has edits of yours that are not rendered.').waitFor();
  assert.notEqual(jobId(), edited);
  await page.getByRole('button', { name: 'Continue editing version 1' }).click();
  await shown('plan-editor').waitFor();
  assert.equal(jobId(), edited);
  assert.deepEqual(await edits(page), before);
  await page.reload();
  await page.getByRole('button', { name: 'Continue editing', exact: true }).click();
  await shown('plan-editor').waitFor();
  assert.deepEqual(await edits(page), before);
  await page.getByRole('button', { name: 'Undo' }).click();
  assert.deepEqual(await edits(page), before.slice(0, -1));
  await page.getByRole('button', { name: 'Redo' }).click();
  assert.deepEqual(await edits(page), before);
  await page.keyboard.press('Control+z');
  assert.deepEqual(await edits(page), before.slice(0, -1));
  await page.keyboard.press('Control+Shift+Z');
  assert.deepEqual(await edits(page), before);
  await page.getByRole('button', { name: 'Reset' }).click();
  assert.deepEqual(await edits(page), []);
  await page.getByRole('button', { name: 'Undo' }).click();
  assert.deepEqual(await edits(page), before);
}

/** Registers the test. The page shows a complete mashup with one version more than this one. */
export function testPlanEditor(fixture: () => StudioFixture): void {
  test('a plan is edited in its timeline by pointer and keyboard, with undo, kept while it is not rendered, and rendered as a new version', async () => {
    const { page, shown, sql, jobId } = fixture();
    const parent = jobId();
    await pressByKeyboard(page, page.getByRole('button', { name: 'Edit', exact: true }));
    await shown('plan-editor').waitFor();
    await moveEdge(fixture());
    await pressImpossible(fixture());
    await changeLayers(fixture());
    await leaveAndComeBack(fixture());
    assert.deepEqual(await pageFaults(page), []);

    await page.getByRole('button', { name: 'Render this version' }).click();
    await page.waitForFunction((id) => !location.hash.includes(id), parent);
    await shown('versions')
      .getByRole('button', { name: /Changed by hand/, pressed: true })
      .waitFor({ timeout: WORK_MS });
    const edited = jobId();
    const [row] = await sql<{ plan: Plan; edits: unknown[] }[]>`
      select plan, edits from public.mashup_plans where job_id = ${edited}`;
    assert.equal(row?.edits.length, 2);
    assert.equal(row.plan.masterplan.timeline[0]!.muted?.length, 1);
    await page.getByRole('button', { name: /Version 1/ }).click();
    await page.waitForFunction((id) => !location.hash.includes(id), edited);
    // What was sent is not offered again.
    await page.getByRole('button', { name: 'Edit', exact: true }).waitFor();
    await sql`delete from public.mashup_jobs where id = ${edited}`;
  });
}

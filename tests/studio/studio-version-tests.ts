/** Tests of the choice of a separator at the start, and of a studio version that is made while its draft plays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { createClient } from '@supabase/supabase-js';
import { pageFaults, WORK_MS } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

const MODEL = 'htdemucs-da9e5101';

/** Answers of the engine that name a model. */
const withModel = (page: Page): Promise<unknown> =>
  page.route('**/rpc/get_separators', (route) =>
    route.fulfill({ json: { classical: 'dsp-4', neural: MODEL, used: MODEL, studio_version_by_default: false } }),
  );

/** Copies the file of a complete job as the result of a studio version, which becomes the current one. */
async function finishStudioVersion({ stack, sql }: StudioFixture, jobId: string): Promise<string> {
  const { apiUrl, secretKey } = stack.info;
  const bucket = createClient(apiUrl, secretKey, { auth: { persistSession: false } }).storage.from('mashups');
  const [job] = await sql<{ path: string; epoch: number }[]>`
    select result_path as path, epoch from public.mashup_jobs where id = ${jobId}`;
  const path = job!.path.replace(/[^/]+(\.\w+)$/, 'studio$1');
  const { data } = await bucket.download(job!.path);
  const { error } = await bucket.upload(path, data!, { contentType: 'audio/wav' });
  assert.equal(error, null);
  await sql.begin(async (tx) => {
    await tx`
      insert into public.mashup_results (job_id, epoch, path, quality, plan_version, separation)
      select job_id, epoch + 1, ${path}, quality, plan_version,
        (select jsonb_object_agg(key, ${sql.json({ model: MODEL, method: 'neural' })}::jsonb) from jsonb_each(separation))
      from public.mashup_results where job_id = ${jobId} and path = ${job!.path}`;
    await tx`
      update public.mashup_jobs j set epoch = j.epoch + 1, result_path = ${path}, studio_version = '{"state": "ready"}',
        result = j.result - 'stems' || jsonb_build_object('separation', r.separation)
      from public.mashup_results r where j.id = ${jobId} and r.job_id = j.id and r.path = ${path}`;
  });
  return path;
}

/** The file that is heard, and the position in it; without the one that plays along. */
const playing = (page: Page): Promise<{ path: string; at: number; isPaused: boolean }> =>
  page.evaluate(() => {
    const { src, currentTime, paused } = document.querySelector('audio')!;
    return { path: new URL(src).pathname, at: currentTime, isPaused: paused };
  });

const plays = (page: Page, path: string): Promise<unknown> =>
  page.waitForFunction((name) => document.querySelector('audio')?.src.includes(name), path);

/** A test of the page with two songs that are analysed. Nothing is started. */
export function testSeparatorChoice(fixture: () => StudioFixture): void {
  test('the separator and a studio version are chosen at the start where there is a model', async () => {
    const page = await fixture().stranger();
    await withModel(page);
    for (const name of ['Neon Drive', 'Paper Kites']) {
      await page.getByRole('button', { name: new RegExp(`^${name}`) }).click();
    }
    const stems = page.getByLabel('Stems', { exact: true });
    await stems.waitFor({ timeout: WORK_MS });
    const studio = page.getByLabel('Studio version afterwards');
    await stems.selectOption('Fast: built-in method');
    assert.ok(await studio.isDisabled(), 'the built-in method alone makes no studio version');
    await stems.selectOption('Best: htdemucs');
    await stems.selectOption('Automatic');
    await studio.check();
    assert.deepEqual(await pageFaults(page), []);
    const sent: unknown[] = [];
    await page.route(/start_mashup|generate-mashup/, async (route) => {
      const body = route.request().postDataJSON() as { options?: Record<string, unknown>; hold?: string } | null;
      if (body?.hold === undefined) sent.push(body?.options);
      await (body?.hold === undefined ? route.abort() : route.continue());
    });
    await page.getByTestId('compatibility').waitFor({ timeout: WORK_MS });
    await page.getByRole('button', { name: 'Create the mashup' }).click();
    await page.getByRole('alert').waitFor();
    assert.ok(
      sent.some((options) => JSON.stringify(options).includes('"studio')),
      JSON.stringify(sent),
    );
    await page.context().close();
  });
}

/** Tests of the page of a mashup that is complete before and after them. */
export function testStudioVersion(fixture: () => StudioFixture, jobId: () => string): void {
  test('a studio version is made while the draft plays, and takes over without a stop', async () => {
    const { page, shown, sql } = fixture();
    await page.goto(`${fixture().stack.info.apiUrl}/#/mashup/${jobId()}`);
    await page.reload();
    await shown('result').getByText('Built-in method').waitFor();
    await page.getByRole('button', { name: /^Play/ }).click();
    await page.waitForFunction(() => (document.querySelector('audio')?.currentTime ?? 0) > 0.2);
    const version = sql.json({ state: 'separating', progress: 30, step: 'Separating Neon Drive: segment 3 of 14' });
    await sql`update public.mashup_jobs set studio_version = ${version} where id = ${jobId()}`;
    await shown('studio-progress').getByText('Separating Neon Drive: segment 3 of 14').waitFor();
    await shown('studio-progress').getByText('30 %').waitFor();
    assert.deepEqual(await pageFaults(page), []);
    const before = await playing(page);
    assert.equal(before.isPaused, false);
    const path = await finishStudioVersion(fixture(), jobId());
    await shown('compare')
      .getByRole('button', { name: /Studio version/, pressed: true })
      .waitFor();
    await plays(page, path);
    const after = await playing(page);
    assert.ok(!after.isPaused && after.at >= before.at, `${before.at} to ${after.at} s`);
    await shown('compare').getByText('htdemucs', { exact: true }).waitFor();
    assert.deepEqual(await pageFaults(page), []);
  });

  test('draft and studio version are compared at the same position, by the key B and by buttons', async () => {
    const { page, shown, sql } = fixture();
    const [draft] = await sql<{ path: string }[]>`
      select path from public.mashup_results where job_id = ${jobId()} order by epoch limit 1`;
    await page.getByLabel('Position').fill('4');
    await page.waitForFunction(() => (document.querySelector('audio')?.currentTime ?? 0) > 4);
    await page.keyboard.press('b');
    await plays(page, draft!.path);
    await shown('compare').getByText('You hear the draft.').waitFor();
    const heard = await playing(page);
    assert.ok(!heard.isPaused && heard.at >= 4, `${heard.at} s`);
    await shown('result').locator('dd').getByText('Built-in method').waitFor();
    // A letter in a text is a letter.
    await page.getByLabel('What should change?').press('b');
    assert.equal(await shown('compare').getByRole('button', { name: /Draft/, pressed: true }).count(), 1);
    await page.getByLabel('What should change?').fill('');
    await shown('compare')
      .getByRole('button', { name: /Studio version/ })
      .click();
    await plays(page, 'studio.');
    assert.ok((await playing(page)).at >= heard.at);
    assert.deepEqual(await pageFaults(page), []);
    assert.deepEqual(fixture().pageErrors, []);
  });
  testMixedDraft(fixture, jobId);
}

function testMixedDraft(fixture: () => StudioFixture, jobId: () => string): void {
  test('a draft that is being mixed stays when its studio version comes, until the listener chooses that', async () => {
    const { page, shown, sql } = fixture();
    const [draft, studio] = await sql<{ path: string }[]>`
      select path from public.mashup_results where job_id = ${jobId()} order by epoch`;
    await sql`
      update public.mashup_jobs set result_path = ${draft!.path}, studio_version = null,
        result = jsonb_set(result, '{stems}', '{"state": "ready"}') where id = ${jobId()}`;
    await shown('compare').waitFor({ state: 'detached' });
    // The page remembers what was chosen for a result.
    await page.reload();
    await page.getByRole('button', { name: 'Open the mixer' }).click();
    await shown('mixer-status').getByText('You hear the stems.').waitFor();
    await page.getByRole('button', { name: 'Mute Vocals' }).first().click();
    await sql`
      update public.mashup_jobs set result_path = ${studio!.path}, studio_version = '{"state": "ready"}',
        result = result - 'stems' where id = ${jobId()}`;
    await shown('compare').getByRole('button', { name: /Draft/, pressed: true }).waitFor();
    await shown('mixer-status').getByText('You hear the stems.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Mute Vocals' }).first().getAttribute('aria-pressed'), 'true');
    await shown('compare')
      .getByRole('button', { name: /Studio version/ })
      .click();
    await page.getByRole('button', { name: 'Open the mixer' }).waitFor();
    await plays(page, studio!.path);
    assert.deepEqual(fixture().pageErrors, []);
  });
}

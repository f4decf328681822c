/** The studio as a newcomer uses it: a real browser on a real stack. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import postgres from 'postgres';
import { startStack } from '../../local/index.ts';
import type { Stack } from '../../local/index.ts';
import { hearComplaints, openBrowser, reasonToSkip, seriousViolations } from './browser.ts';

/** Two songs are separated and rendered within, on a busy machine. */
const WORK_MS = 90_000;
const PHONE = { width: 360, height: 740 };
const DESK = { width: 1280, height: 900 };
const STAGES = ['analyzing', 'scoring', 'planning', 'separating', 'rendering'];

const skip = reasonToSkip();

describe('the studio', { skip }, () => {
  let dataDir: string;
  let stack: Stack;
  let sql: postgres.Sql;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];
  let firstJob = '';

  const jobIdOf = (url: string): string => /#\/mashup\/([0-9a-f-]{36})/.exec(url)?.[1] ?? '';
  const shown = (id: string) => page.getByTestId(id);
  const stage = (): Promise<string | null> => shown('stage-track').getAttribute('data-stage');

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'mashup-studio-'));
    [stack, browser] = await Promise.all([
      startStack({ dataDir, portBase: 0, postgresSettings: { fsync: 'off' } }),
      openBrowser(),
    ]);
    sql = postgres(stack.info.dbUrl, { max: 1 });
    // Short mashups, so that the test is short.
    await sql`update mashup.settings set value = '24' where name in ('plan_min_length_sec', 'plan_max_length_sec')`;
    context = await browser.newContext({ viewport: DESK, colorScheme: 'dark', reducedMotion: 'reduce' });
    context.setDefaultTimeout(40_000);
    page = await context.newPage();
    complaints = hearComplaints(page);
    await page.goto(stack.info.apiUrl);
  });

  after(async () => {
    await browser?.close();
    await sql?.end();
    await stack?.stop();
    if (dataDir) await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });

  test('a file that is no audio is refused before it is uploaded, with what to do', async () => {
    const fake = { name: 'fake.mp3', mimeType: 'audio/mpeg', buffer: Buffer.from('<html>'.repeat(200)) };
    const empty = { name: 'empty.wav', mimeType: 'audio/wav', buffer: Buffer.alloc(0) };
    await page.getByLabel('Audio files').setInputFiles([fake, empty]);
    const alerts = page.getByRole('alert');
    await alerts.nth(1).waitFor();
    assert.match(await alerts.nth(0).innerText(), /fake\.mp3 is not audio.*\n*.*Choose an MP3/);
    assert.match(await alerts.nth(1).innerText(), /empty\.wav is empty/);
    assert.equal(await shown('song-card').count(), 0);
    assert.deepEqual(await seriousViolations(page), []);
  });

  test('songs are analysed and compared as soon as they are there', async () => {
    await page.getByRole('button', { name: /^Neon Drive/ }).click();
    await page.getByRole('button', { name: /^Paper Kites/ }).click();
    await shown('compatibility').waitFor({ timeout: WORK_MS });
    assert.equal(await shown('track-analysis').count(), 2);
    assert.match(await shown('song-card').first().innerText(), /140 bpm/);
    const [job] = await sql`select stage, hold, jsonb_array_length(songs) as songs from public.mashup_jobs`;
    assert.deepEqual({ ...job }, { stage: 'planning', hold: 'planning', songs: 2 });
    assert.deepEqual(await seriousViolations(page), []);
  });

  test('a reload keeps the songs that are uploaded', async () => {
    await page.reload();
    await shown('song-card').nth(1).waitFor();
    await shown('compatibility').waitFor({ timeout: WORK_MS });
  });

  test('each stage is seen live, also over a reload and in a second tab', async () => {
    await page.evaluate(() => {
      const seen = new Set<string>();
      (globalThis as unknown as { seen: Set<string> }).seen = seen;
      new MutationObserver(() => {
        const now = document.querySelector('[data-testid=stage-track]')?.getAttribute('data-stage');
        if (now) seen.add(now);
      }).observe(document.body, { subtree: true, childList: true, attributes: true });
    });
    await page.getByRole('button', { name: 'Create the mashup' }).click();
    await shown('progress').waitFor();
    firstJob = jobIdOf(page.url());
    await page.waitForFunction(() =>
      ['separating', 'rendering'].includes(
        document.querySelector('[data-testid=stage-track]')?.getAttribute('data-stage') ?? '',
      ),
    );
    const seen = await page.evaluate(() => [...(globalThis as unknown as { seen: Set<string> }).seen]);
    assert.ok(seen.length >= 1 && seen.every((name) => STAGES.includes(name)), seen.join());
    assert.deepEqual(await seriousViolations(page), []);
    const second = await context.newPage();
    await Promise.all([page.reload(), second.goto(page.url())]);
    for (const one of [page, second]) await one.getByTestId('title').waitFor();
    assert.equal(jobIdOf(page.url()), firstJob);
    await Promise.all([page, second].map((one) => one.getByTestId('result').waitFor({ timeout: WORK_MS })));
    await second.close();
  });

  test('the result plays, and its timeline has the sections of the plan', async () => {
    await page.getByRole('button', { name: /^Play/ }).click();
    await page.waitForFunction(() => (document.querySelector('audio')?.currentTime ?? 0) > 0.5);
    await page.getByLabel('Position').fill('12');
    await page.waitForFunction(() => (document.querySelector('audio')?.currentTime ?? 0) > 12);
    const [row] =
      await sql`select plan -> 'masterplan' -> 'timeline' as timeline from public.mashup_plans where job_id = ${firstJob}`;
    const plan = row?.timeline as { duration_sec: number }[];
    const widths = await shown('timeline-section').evaluateAll((items) => items.map((item) => item.clientWidth));
    assert.equal(widths.length, plan.length);
    const total = plan.reduce((sum, section) => sum + section.duration_sec, 0);
    const drawn = widths.reduce((sum, width) => sum + width, 0);
    assert.ok(drawn > 500, `${drawn} px`);
    for (const [index, section] of plan.entries()) {
      const expected = (section.duration_sec / total) * drawn;
      assert.ok(Math.abs((widths[index] ?? 0) - expected) < 6, `${widths[index]} px instead of ${expected}`);
    }
    assert.ok((await shown('timeline-layer').count()) > 3);
    assert.deepEqual(await seriousViolations(page), []);
  });

  test('it is saved under its title, as it is and as mp3', async () => {
    for (const format of ['WAV', 'MP3']) {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: new RegExp(`^${format}`) }).click(),
      ]);
      assert.match(download.suggestedFilename(), new RegExp(`^[\\w .'&-]+\\.${format.toLowerCase()}$`));
      assert.ok((await stat(await download.path())).size > 100_000);
    }
  });

  test('feedback makes a second version, and switching keeps playing at the position', async () => {
    const first = await page.evaluate(() => document.querySelector('audio')?.src);
    await page.getByLabel('What should change?').fill('make it shorter');
    await page.getByRole('button', { name: 'Make this version' }).click();
    await shown('versions').waitFor();
    await page.waitForURL((url) => jobIdOf(url.href) !== firstJob);
    await shown('progress').waitFor({ state: 'detached', timeout: WORK_MS });
    await page.getByText('Version 2').waitFor();
    const secondJob = jobIdOf(page.url());
    assert.notEqual(secondJob, firstJob);
    // The player keeps the first version until the second one's link is there.
    await page.waitForFunction((old) => document.querySelector('audio')?.src !== old, first);
    const source = await page.evaluate(() => document.querySelector('audio')?.src);
    await page.getByLabel('Position').fill('5');
    await page.getByRole('button', { name: /Version 1/ }).click();
    await page.waitForFunction((old) => document.querySelector('audio')?.src !== old, source);
    await page.waitForFunction(() => (document.querySelector('audio')?.currentTime ?? 0) >= 5);
    assert.equal(jobIdOf(page.url()), firstJob);
  });

  test('it fits a phone', async () => {
    await page.setViewportSize(PHONE);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
    const picture = await page.screenshot({ fullPage: true });
    assert.ok(picture.length > 10_000);
    await page.setViewportSize(DESK);
  });

  test('the library lists the versions', async () => {
    await page.getByRole('link', { name: 'Library' }).click();
    await shown('library-item').nth(1).waitFor();
    assert.equal(await shown('library-item').count(), 2);
    assert.deepEqual(await seriousViolations(page), []);
    assert.deepEqual(complaints, []);
  });

  test('a replay from SQL is seen live after the gateway was killed; it can be cancelled and retried', async () => {
    await page.goto(`${stack.info.apiUrl}/#/mashup/${firstJob}`);
    await shown('result').waitFor();
    const pid = stack.parts.find((part) => part.name === 'gateway')?.pid();
    assert.ok(pid);
    process.kill(pid, 'SIGKILL');
    await sql`update public.mashup_jobs set stage = 'rendering' where id = ${firstJob}`;
    await shown('progress').waitFor({ timeout: 30_000 });
    assert.equal(await stage(), 'rendering');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Retry' }).waitFor();
    assert.equal(await stage(), 'cancelled');
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.getByRole('button', { name: 'Cancel' }).waitFor();
  });

  test('the operator sees the job and replays it by a click; no other key opens the page', async () => {
    await page.getByRole('link', { name: 'Operator' }).click();
    await page.getByLabel('Service role key').fill(stack.info.anonKey);
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByText('This key may not operate.').waitFor();
    await page.getByRole('button', { name: 'Lock' }).click();
    await page.getByLabel('Service role key').fill(stack.info.serviceRoleKey);
    await page.getByRole('button', { name: 'Open' }).click();
    await shown('operator-board').waitFor();
    const [before] = await sql`select epoch from public.mashup_jobs where id = ${firstJob}`;
    await page.getByRole('button', { name: new RegExp(firstJob.slice(0, 8)) }).click();
    await shown('story').waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    await shown('story').getByRole('button', { name: 'Plan', exact: true }).click();
    await shown('story')
      .getByText(`epoch ${Number(before?.epoch) + 1}`)
      .waitFor();
    await shown('story').getByRole('button', { name: 'Cancel the job' }).click();
    await shown('story').getByRole('button', { name: 'Retry' }).waitFor();
  });

  test("another user's mashup is refused", async () => {
    const other = await browser.newContext();
    const stranger = await other.newPage();
    await stranger.goto(`${stack.info.apiUrl}/#/mashup/${firstJob}`);
    await stranger.getByText('You are not signed in.').waitFor();
    await stranger.goto(stack.info.apiUrl);
    await stranger.getByRole('button', { name: /^Slow Harbor/ }).click();
    await stranger.getByTestId('song-card').waitFor();
    await stranger.goto(`${stack.info.apiUrl}/#/mashup/${firstJob}`);
    await stranger.getByText(`There is no mashup ${firstJob}.`).waitFor();
    await other.close();
  });
});

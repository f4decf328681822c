/** The studio in a real browser on a real stack, from the selection of songs to the operator's page. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { Download } from 'playwright-core';
import { WORKING_STAGES } from '../../schema/stages.ts';
import type { ReplayStage } from '../../schema/stages.ts';
import { until } from '../support/until.ts';
import { reasonToSkip } from './browser.ts';
import { testDoubleClicks } from './double-click-tests.ts';
import { testMixer } from './mixer-tests.ts';
import { testExample } from './example-tests.ts';
import { testLibrary } from './library-tests.ts';
import { testPlayer } from './player-tests.ts';
import { testPlanEditor } from './plan-editor-tests.ts';
import { testSharing } from './sharing-tests.ts';
import { testStemDownloads } from './stem-download-tests.ts';
import { testSeparatorChoice, testStudioVersion } from './studio-version-tests.ts';
import { testWishes, testWishOutcome } from './wish-tests.ts';
import { testSongSelection } from './song-selection-tests.ts';
import { testAccount, testOperatorReplay } from './account-tests.ts';
import { pageFaults, startStudioFixture, pressByKeyboard, WORK_MS } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

/** Allowed difference between playhead and audio; a frame may be late. */
const PLAYHEAD_TOLERANCE_SEC = 0.25;

describe('the studio', { skip: reasonToSkip() }, () => {
  let fixture: StudioFixture;
  let firstJob = '';

  before(async () => (fixture = await startStudioFixture()));
  after(() => fixture?.close());

  test('the page runs under a policy that allows no inline scripts, no eval and no other hosts', async () => {
    const page = await fixture.stranger();
    const policy = (await fetch(fixture.stack.info.apiUrl)).headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe-inline|'unsafe-eval'|\*/);
    const outcome = await page.evaluate(async () => {
      const violations: string[] = [];
      document.addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective));
      const script = document.createElement('script');
      script.textContent = 'globalThis.injected = true';
      document.head.append(script);
      const outside = await fetch('https://elsewhere.example/').then(
        () => 'reached',
        () => 'refused',
      );
      // Violations are reported in tasks of their own.
      while (violations.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
      return { violations: violations.sort(), injected: 'injected' in globalThis, outside };
    });
    assert.deepEqual(outcome, { violations: ['connect-src', 'script-src-elem'], injected: false, outside: 'refused' });
    await page.context().close();
  });

  testSongSelection(() => fixture);
  testSeparatorChoice(() => fixture);
  testWishes(() => fixture);
  testDoubleClicks(() => fixture);

  test('a mashup is created by keyboard alone; its stages are shown live, after a reload and in a second tab', async () => {
    const { page, shown, context } = fixture;
    await page.evaluate(() => {
      const seen = new Set<string>();
      (globalThis as unknown as { seen: Set<string> }).seen = seen;
      new MutationObserver(() => {
        const now = document.querySelector('[data-testid=stage-track]')?.getAttribute('data-stage');
        if (now) seen.add(now);
      }).observe(document.body, { subtree: true, childList: true, attributes: true });
    });
    await pressByKeyboard(page, page.getByRole('button', { name: 'Create the mashup' }));
    await shown('progress').waitFor();
    firstJob = fixture.jobId();
    await page.waitForFunction(() =>
      ['separating', 'rendering'].includes(
        document.querySelector('[data-testid=stage-track]')?.getAttribute('data-stage') ?? '',
      ),
    );
    const seen = await page.evaluate(() => [...(globalThis as unknown as { seen: Set<string> }).seen]);
    assert.ok(seen.length >= 1 && seen.every((name) => WORKING_STAGES.includes(name as ReplayStage)), seen.join());
    assert.equal(
      await page.locator('[aria-live=polite]').filter({ hasText: /\w/ }).count(),
      1,
      'one live region announces the step',
    );
    assert.deepEqual(await pageFaults(page), []);
    const second = await context.newPage();
    await Promise.all([page.reload(), second.goto(page.url())]);
    for (const one of [page, second]) await one.getByTestId('title').waitFor();
    assert.equal(fixture.jobId(), firstJob);
    await Promise.all([page, second].map((one) => one.getByTestId('result').waitFor({ timeout: WORK_MS })));
    await second.close();
  });

  test('the result plays, its timeline has the sections of the plan, and the playhead follows the audio', async () => {
    const { page, shown, sql } = fixture;
    await pressByKeyboard(page, page.getByRole('button', { name: /^Play/ }));
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
    const [head, position] = await shown('playhead').evaluate((element) => [
      parseFloat(element.style.left) / 100,
      document.querySelector('audio')?.currentTime ?? 0,
    ]);
    assert.ok(
      Math.abs((head ?? 0) * total - (position ?? 0)) < PLAYHEAD_TOLERANCE_SEC,
      `${head} of ${total} s at ${position} s`,
    );
    assert.ok((await shown('timeline-layer').count()) > 3);
    assert.deepEqual(await pageFaults(page), []);
  });

  test('the result is saved under its title in three formats, as FLAC without loss, and shared by a link', async () => {
    const { page } = fixture;
    const title = await fixture.shown('title').innerText();
    const save = async (format: string): Promise<Buffer> => {
      const [download]: [Download, void] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: new RegExp(`^${format}`) }).click(),
      ]);
      const name = download.suggestedFilename();
      assert.match(name, new RegExp(`^[\\w .'&-]+\\.${format.toLowerCase()}$`));
      assert.equal(name.split(' ')[0], title.split(' ')[0]);
      return readFile(await download.path());
    };
    const wav = await save('WAV');
    const mp3 = await save('MP3');
    assert.ok(mp3.length > 100_000 && mp3.length < wav.length / 3, `${mp3.length} of ${wav.length} bytes`);
    const flac = await save('FLAC');
    assert.equal(flac.subarray(0, 4).toString(), 'fLaC');
    // A FLAC file has the MD5 of its samples at byte 26.
    const samples = wav.subarray(44, 44 + wav.readUInt32LE(40));
    assert.equal(flac.subarray(26, 42).toString('hex'), createHash('md5').update(samples).digest('hex'));

    await page.getByRole('button', { name: 'Copy link to the file' }).click();
    await page.getByText('Link copied').waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    const shared = await fetch(link, { headers: { range: 'bytes=0-11' } });
    assert.equal(shared.status, 206);
    assert.match(Buffer.from(await shared.arrayBuffer()).toString('latin1'), /^RIFF....WAVE$/s);
  });

  testPlayer(
    () => fixture,
    () => firstJob,
  );
  testSharing(
    () => fixture,
    () => firstJob,
  );
  testMixer(
    () => fixture,
    () => firstJob,
  );
  testStemDownloads(() => fixture);

  testStudioVersion(
    () => fixture,
    () => firstJob,
  );

  test('feedback makes a second version, and switching between versions keeps the position', async () => {
    const { page, shown } = fixture;
    const first = await page.evaluate(() => document.querySelector('audio')?.src);
    await page.getByRole('button', { name: 'More bass' }).click();
    await pressByKeyboard(page, page.getByRole('button', { name: 'Make this version' }));
    // The library may show the version before the request for it returns. The version is complete when it is played.
    await shown('versions')
      .getByRole('button', { name: /Version 2/, pressed: true })
      .waitFor({ timeout: WORK_MS });
    assert.notEqual(fixture.jobId(), firstJob);
    // The player keeps the first version until the link of the second has been signed.
    await page.waitForFunction((old) => document.querySelector('audio')?.src !== old, first);
    const source = await page.evaluate(() => document.querySelector('audio')?.src);
    await page.getByLabel('Position').fill('5');
    await page.getByRole('button', { name: /Version 1/ }).click();
    await page.waitForFunction((old) => document.querySelector('audio')?.src !== old, source);
    await page.waitForFunction(() => (document.querySelector('audio')?.currentTime ?? 0) >= 5);
    assert.equal(fixture.jobId(), firstJob);
    assert.deepEqual(await pageFaults(page), []);
    assert.deepEqual(fixture.pageErrors, []);
  });

  testPlanEditor(() => fixture);
  testWishOutcome(() => fixture);
  testLibrary(() => fixture);
  testAccount(() => fixture);
  testExample(() => fixture);

  test('a replay from SQL is shown live after the gateway was killed, and its remaining time counts down', async () => {
    const { page, shown, stack, sql } = fixture;
    await page.goto(`${stack.info.apiUrl}/#/mashup/${firstJob}`);
    await shown('result').waitFor();
    const pid = stack.parts.find((part) => part.name === 'gateway')?.pid();
    assert.ok(pid);
    // Nobody knows the remaining time while Storage is away, so the work waits until it is back.
    await sql`select mashup.pause('job', ${firstJob})`;
    process.kill(pid, 'SIGKILL');
    await sql`update public.mashup_jobs set stage = 'rendering' where id = ${firstJob}`;
    await shown('progress').waitFor();
    assert.equal(await fixture.stage(), 'rendering');
    await until('Storage answers', async () => {
      if (!(await fetch(stack.info.apiUrl).catch(() => undefined))) return false;
      const away =
        await sql`select from mashup.service_health where service = 'storage' and unanswered_since is not null`;
      return away.length === 0;
    });
    await sql`select mashup.resume('job', ${firstJob})`;
    const before = await shown('countdown').innerText();
    await page.waitForFunction(
      (text) => document.querySelector('[data-testid=countdown]')?.textContent !== text,
      before,
    );
    const secondsOf = (text: string): number =>
      Number(/(\d+):(\d+)/.exec(text)?.[1] ?? 0) * 60 + Number(/(\d+):(\d+)/.exec(text)?.[2] ?? 0);
    assert.ok(secondsOf(await shown('countdown').innerText()) < secondsOf(before), before);
  });

  test('a job can be cancelled and retried', async () => {
    const { page } = fixture;
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Retry' }).waitFor();
    assert.equal(await fixture.stage(), 'cancelled');
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.getByRole('button', { name: 'Cancel' }).waitFor();
  });

  testOperatorReplay(
    () => fixture,
    () => firstJob,
  );
});

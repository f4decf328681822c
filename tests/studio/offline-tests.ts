/** Tests without a network, and of a suspended page: nothing is lost, and the page updates when it can. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pageFaults, renderControls, shiftOf, WORK_MS } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples');
/** Allowed layout shift. */
const MAX_SHIFT = 0.02;
/** Interval at which the page measures its own suspension. */
const PULSE_MS = 50;
const OFFLINE = /You are offline\. Mashups continue on the server\. This page updates/;

/** Tests of a page without a network or without processor time. `onJob` receives the id of the job that is made. */
export function testOffline(fixture: () => StudioFixture, onJob: (jobId: string) => void): void {
  testOfflineUploads(fixture);
  testOfflineCompletion(fixture, onJob);
  testSuspendedPage(fixture);
}

function testOfflineUploads(fixture: () => StudioFixture): void {
  test('a part of the page that cannot be loaded says so, and is loaded by another try', async () => {
    const { page, context, shown } = fixture();
    await page.getByRole('heading', { name: 'Two songs in, one mashup out' }).waitFor();
    await context.setOffline(true);
    await page.getByRole('button', { name: 'Play the example mashup' }).click();
    await shown('example').getByText('This part of the page cannot be loaded.').waitFor();
    await context.setOffline(false);
    await shown('example').getByRole('button', { name: 'Try again' }).click();
    await shown('example').getByRole('slider', { name: 'Position' }).waitFor();
  });

  test('songs selected without a network are uploaded automatically when it is back', async () => {
    const { page, context, shown } = fixture();
    await page.getByRole('heading', { name: 'Two songs in, one mashup out' }).waitFor();
    await context.setOffline(true);
    await page.getByText(OFFLINE).waitFor();
    await page
      .getByLabel('Audio files')
      .setInputFiles(['neon-drive.mp3', 'paper-kites.mp3'].map((name) => join(EXAMPLES, name)));
    const cards = shown('song-card');
    await cards.getByRole('alert').nth(1).waitFor();
    assert.match(
      await cards.first().innerText(),
      /Not uploaded[^]*The server cannot be reached\.\s+Check the connection/,
    );
    assert.equal(await cards.getByRole('button', { name: 'Try again' }).count(), 2);
    assert.deepEqual(await pageFaults(page), []);

    await context.setOffline(false);
    await shown('compatibility').waitFor({ timeout: WORK_MS });
    assert.equal(await cards.getByRole('alert').count(), 0);
    assert.equal(await page.getByText(OFFLINE).count(), 0);
  });
}

function testOfflineCompletion(fixture: () => StudioFixture, onJob: (jobId: string) => void): void {
  test('a mashup that completes while the browser is offline is shown when the network is back', async () => {
    const { page, context, shown } = fixture();
    const { hold, release, reaches } = renderControls(fixture());
    await hold();
    await page.getByRole('button', { name: 'Create the mashup' }).click();
    await page.locator('[data-stage=rendering]').waitFor({ timeout: WORK_MS });
    const jobId = fixture().jobId();
    onJob(jobId);
    await page.getByText('Paused by the operator').first().waitFor();
    const shift = await shiftOf(page);

    await context.setOffline(true);
    await page.getByText(OFFLINE).waitFor();
    await shown('progress').getByText('Offline', { exact: true }).waitFor();
    assert.ok((await shiftOf(page)) - shift < MAX_SHIFT, 'the layout does not move when the network is lost');
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.match(await page.getByRole('alert').innerText(), /The server cannot be reached\.\s+Check the connection/);
    assert.deepEqual(await pageFaults(page), []);
    await release();
    await reaches(jobId, 'complete');
    assert.equal(await fixture().stage(), 'rendering', 'the page received no update while offline');

    await context.setOffline(false);
    await shown('result').waitFor();
    await page.getByRole('button', { name: /^Play/ }).and(page.locator(':enabled')).waitFor();
    assert.equal(fixture().jobId(), jobId);
    assert.equal(await page.getByText(OFFLINE).count(), 0);
  });
}

function testSuspendedPage(fixture: () => StudioFixture): void {
  test('a suspended page that loses its connection shows the completed mashup when it resumes', async () => {
    const { page, browser, shown, stack } = fixture();
    const { hold, release, replay, reaches } = renderControls(fixture());
    const jobId = fixture().jobId();
    await hold();
    await replay(jobId);
    await shown('progress').waitFor();
    await page.evaluate((pulseMs) => {
      const suspension = { longestMs: 0 };
      Object.assign(globalThis, { suspension });
      let last = performance.now();
      setInterval(() => {
        const now = performance.now();
        suspension.longestMs = Math.max(suspension.longestMs, now - last);
        last = now;
      }, pulseMs);
    }, PULSE_MS);
    // The page's process gets no time at all, as when a laptop is closed. Chromium does not freeze a page under automation.
    const processes = await (await browser.newBrowserCDPSession()).send('SystemInfo.getProcessInfo');
    const renderers = processes.processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
    for (const pid of renderers) process.kill(pid, 'SIGSTOP');
    const began = performance.now();
    try {
      const gateway = stack.parts.find((part) => part.name === 'gateway')?.pid();
      assert.ok(gateway);
      process.kill(gateway, 'SIGKILL');
      await release();
      await reaches(jobId, 'complete');
    } finally {
      for (const pid of renderers) process.kill(pid, 'SIGCONT');
    }
    const suspendedMs = performance.now() - began;

    await shown('result').waitFor();
    const longest = await page.evaluate(
      () => (globalThis as unknown as { suspension: { longestMs: number } }).suspension.longestMs,
    );
    assert.ok(longest > suspendedMs / 2, `the page was suspended for ${longest} of ${suspendedMs} ms`);
    assert.equal(fixture().jobId(), jobId);
  });
}

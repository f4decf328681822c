/** No network, and a page that sleeps: nothing is lost, the page says how it is, and catches up. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pageFaults, renderControls, shiftOf, WORK_MS } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples');
const STEADY = 0.02;
const BEAT_MS = 50;
const OFFLINE = /You are offline\. Mashups continue on the server\. This page updates/;

/** `made` is told of the mashup that comes of it. */
export function testOffline(fixture: () => StudioFixture, made: (jobId: string) => void): void {
  test('songs that are chosen without a network are uploaded when it is back, by themselves', async () => {
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

  test('a mashup that is finished while the browser is offline is shown as soon as the network is back', async () => {
    const { page, context, shown } = fixture();
    const { hold, release, reaches } = renderControls(fixture());
    await hold();
    await page.getByRole('button', { name: 'Create the mashup' }).click();
    await page.locator('[data-stage=rendering]').waitFor({ timeout: WORK_MS });
    const jobId = fixture().jobId();
    made(jobId);
    await page.getByText('Paused by the operator').first().waitFor();
    const shift = await shiftOf(page);

    await context.setOffline(true);
    await page.getByText(OFFLINE).waitFor();
    await shown('progress').getByText('Offline', { exact: true }).waitFor();
    assert.ok((await shiftOf(page)) - shift < STEADY, 'nothing moves when the network goes');
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.match(await page.getByRole('alert').innerText(), /The server cannot be reached\.\s+Check the connection/);
    assert.deepEqual(await pageFaults(page), []);
    await release();
    await reaches(jobId, 'complete');
    assert.equal(await fixture().stage(), 'rendering', 'the page was cut off');

    await context.setOffline(false);
    await shown('result').waitFor();
    await page.getByRole('button', { name: /^Play/ }).and(page.locator(':enabled')).waitFor();
    assert.equal(fixture().jobId(), jobId);
    assert.equal(await page.getByText(OFFLINE).count(), 0);
  });

  test('a page that sleeps while its mashup is made, and loses its connection, catches up when it wakes', async () => {
    const { page, browser, shown, stack } = fixture();
    const { hold, release, replay, reaches } = renderControls(fixture());
    const jobId = fixture().jobId();
    await hold();
    await replay(jobId);
    await shown('progress').waitFor();
    await page.evaluate((beatMs) => {
      const sleep = { longestMs: 0 };
      Object.assign(globalThis, { sleep });
      let last = performance.now();
      setInterval(() => {
        const now = performance.now();
        sleep.longestMs = Math.max(sleep.longestMs, now - last);
        last = now;
      }, beatMs);
    }, BEAT_MS);
    // As when a lid is closed: the page's process gets no time at all. (Chromium freezes no page that is driven: it counts as shown.)
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
    const sleptMs = performance.now() - began;

    await shown('result').waitFor();
    const longest = await page.evaluate(
      () => (globalThis as unknown as { sleep: { longestMs: number } }).sleep.longestMs,
    );
    assert.ok(longest > sleptMs / 2, `the page slept for ${longest} of ${sleptMs} ms`);
    assert.equal(fixture().jobId(), jobId);
  });
}

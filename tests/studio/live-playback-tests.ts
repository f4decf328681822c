/** Tests of the page while a mashup is rendered: its beginning plays, waits, survives a reload, and becomes the finished file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { createClient } from '@supabase/supabase-js';
import { makeSound, RATE } from './playback-harness.ts';
import { makeMashup, pageFaults, renderControls, WORK_MS } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

/** Ends of the parts in seconds, and the planned length. */
const ENDS = [1.5, 4, 24];

/** Uploads parts as a renderer does, and names the first ones in the row of a job. */
async function openParts({ stack, sql }: StudioFixture, jobId: string): Promise<(count: number) => Promise<unknown>> {
  const sound = await makeSound(ENDS.map((end) => end * RATE));
  const path = `generated/${jobId}/1.parts`;
  const { apiUrl, secretKey } = stack.info;
  const bucket = createClient(apiUrl, secretKey, { auth: { persistSession: false } }).storage.from('mashups');
  for (const [i, file] of sound.files.entries()) {
    const { error } = await bucket.upload(`${path}/${i}.flac`, file, { contentType: 'audio/flac' });
    assert.equal(error, null);
  }
  return (count) => {
    const ends = sound.ends.slice(0, count);
    const playable = sql.json({ path, sample_rate: RATE, total_frames: sound.ends.at(-1) ?? 0, ends });
    return sql`update public.mashup_jobs set playable = ${playable} where id = ${jobId}`;
  };
}

/** Waits until the sound of the page has passed a position. */
const passes = ({ page }: StudioFixture, seconds: number): Promise<unknown> =>
  page.waitForFunction((position) => (document.querySelector('audio')?.currentTime ?? 0) > position, seconds, {
    timeout: WORK_MS,
  });

/** Notes every 20 ms what the page plays: position, time of the page, both in seconds, and whether it plays parts. */
const trace = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const heard: Heard[] = [];
    Object.assign(globalThis, { heard });
    setInterval(() => {
      const audio = document.querySelector('audio');
      if (audio === null || audio.paused) return;
      heard.push({ position: audio.currentTime, at: performance.now() / 1000, isParts: audio.src.startsWith('blob:') });
    }, 20);
  });

interface Heard {
  position: number;
  at: number;
  isParts: boolean;
}

/** A mashup that is made in the page, with real parts. `onMade` receives its id. */
export function testRenderedPlayback(fixture: () => StudioFixture, onMade: (jobId: string) => void): void {
  test('a mashup plays by itself from its first rendered part on, if the user has chosen that, up to its end', async (t) => {
    const { page, shown } = fixture();
    await trace(page);
    const made = makeMashup(fixture());
    await page.getByLabel('Play as soon as the first part is rendered').check();
    await passes(fixture(), 0.1);
    const wasRendering = (await shown('progress').count()) > 0;
    onMade(await made);
    // On a busy machine the parts may have been heard to their end by then.
    await page.waitForFunction(() => document.querySelector('audio')?.src.startsWith('http'));
    const pause = page.getByRole('button', { name: /^Pause/ });
    if (await pause.isVisible()) await pause.click();
    const heard = await page.evaluate(() => (globalThis as unknown as { heard: Heard[] }).heard);
    const [first, last] = [heard.find(({ position }) => position > 0)!, heard.at(-1)!];
    assert.ok(first.isParts && wasRendering, 'parts were heard before the mashup was complete');
    const lost = last.at - first.at - (last.position - first.position);
    t.diagnostic(`${first.position.toFixed(2)} to ${last.position.toFixed(2)} s were heard, ${lost.toFixed(3)} s lost`);
    const back = heard.findIndex(({ position }, i) => i > 0 && position < heard[i - 1]!.position - 0.1);
    assert.equal(back, -1, 'the position never goes back');
  });
}

/** Tests of the page of a mashup that is complete before and after them, and was made in the page. */
export function testLivePlayback(fixture: () => StudioFixture, jobId: () => string): void {
  test('the beginning of a mashup plays while the rest is rendered, and waits for the next part', async () => {
    const { page, shown } = fixture();
    const { hold, replay } = renderControls(fixture());
    const publish = await openParts(fixture(), jobId());
    await hold();
    await replay(jobId());
    await shown('live').waitFor();
    assert.ok(await page.getByRole('button', { name: /^Play/ }).isDisabled());
    assert.ok(await page.getByLabel('Play as soon as the first part is rendered').isChecked());
    assert.deepEqual(await pageFaults(page), []);
    await publish(1);
    await passes(fixture(), 0.1);
    assert.match(
      (await page.getByLabel('Position').getAttribute('aria-valuetext')) ?? '',
      /of 24 seconds, ready up to 2 seconds$/,
    );
    await page.getByText('Waiting for the next part').waitFor();
    assert.deepEqual(await pageFaults(page), []);
    await publish(2);
    await passes(fixture(), ENDS[0]! + 0.1);
  });

  test('a page that was reloaded plays what is there when the user presses Play, and jumps within it', async () => {
    const { page, shown } = fixture();
    await page.reload();
    await shown('coming').waitFor();
    assert.equal(await page.evaluate(() => document.querySelector('audio')?.paused), true);
    await page.getByRole('button', { name: /^Play/ }).click();
    await passes(fixture(), 0.05);
    await page.getByLabel('Position').press('ArrowRight');
    await passes(fixture(), ENDS[1]! - 0.1);
    await page.getByText('Waiting for the next part').waitFor();
    await page.getByLabel('Position').fill('0');
    await passes(fixture(), 0.1);
    await page.getByRole('button', { name: 'Mute' }).click();
    assert.equal(await page.evaluate(() => document.querySelector('audio')?.muted), true);
  });

  test('the finished file takes over from the parts where they are', async () => {
    const { page, shown } = fixture();
    await renderControls(fixture()).release();
    await shown('result').waitFor({ timeout: WORK_MS });
    // On a busy machine the parts of the new attempt may have been heard to their end by then.
    await page.waitForFunction(() => {
      const audio = document.querySelector('audio');
      return audio !== null && audio.src.startsWith('http') && audio.currentTime > 1;
    });
    assert.equal(await page.evaluate(() => document.querySelectorAll('audio').length), 1);
    assert.deepEqual(await pageFaults(page), []);
    assert.deepEqual(fixture().pageErrors, []);
  });
}

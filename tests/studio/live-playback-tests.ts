/** Tests of the page while a mashup is rendered: its beginning plays, waits, survives a reload, and becomes the finished file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '@supabase/supabase-js';
import { makeSound, RATE } from './playback-harness.ts';
import { pageFaults, renderControls, WORK_MS } from './studio-fixture.ts';
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
  page.waitForFunction((position) => (document.querySelector('audio')?.currentTime ?? 0) > position, seconds);

/** Tests of the page of a mashup that is complete before and after them. */
export function testLivePlayback(fixture: () => StudioFixture, jobId: () => string): void {
  test('the beginning of a mashup plays by itself while the rest is rendered, if the user has chosen that', async () => {
    const { page, shown } = fixture();
    const { hold, replay } = renderControls(fixture());
    const publish = await openParts(fixture(), jobId());
    await hold();
    await replay(jobId());
    await shown('live').waitFor();
    assert.ok(await page.getByRole('button', { name: /^Play/ }).isDisabled());
    await page.getByLabel('Play as soon as the first part is rendered').check();
    assert.deepEqual(await pageFaults(page), []);
    await publish(1);
    await passes(fixture(), 0.1);
    assert.match((await page.getByLabel('Position').getAttribute('aria-valuetext')) ?? '', /of 0:24, ready up to 0:01/);
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

  test('the finished file takes over from the parts and plays on', async () => {
    const { page, shown } = fixture();
    await renderControls(fixture()).release();
    await shown('result').waitFor({ timeout: WORK_MS });
    await page.waitForFunction(() => {
      const audio = document.querySelector('audio');
      return audio !== null && !audio.src.startsWith('blob:') && !audio.paused && audio.currentTime > 0;
    });
    assert.equal(await page.evaluate(() => document.querySelectorAll('audio').length), 1);
    assert.deepEqual(await pageFaults(page), []);
    assert.deepEqual(fixture().pageErrors, []);
  });
}

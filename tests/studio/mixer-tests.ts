/** Tests of the mixer on the page of a complete mashup: stems that are asked for, loaded and mixed, by mouse and by keyboard. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { createClient } from '@supabase/supabase-js';
import { encodeFlac } from '../../audio/encode/encode-flac.ts';
import { STEM_BLOCK_FRAMES } from '../../schema/mashup-stems.ts';
import { until } from '../support/until.ts';
import { RATE } from './playback-harness.ts';
import { pageFaults } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

/** A sine for each stem: vocals and drums of the first song, drums of the second one. */
const TONES = [441, 1323, 3087];
const STEMS = ['vocals', 'drums', 'drums'] as const;
const LEVEL = 0.2;
/** The first part has whole blocks, as those of the renderer. */
const ENDS = [108 * STEM_BLOCK_FRAMES, 24 * RATE];

/** Uploads stems as a renderer does. Returns what the row of the result says of them. */
async function uploadStems({ stack, sql }: StudioFixture, jobId: string): Promise<Record<string, unknown>> {
  const { apiUrl, secretKey } = stack.info;
  const bucket = createClient(apiUrl, secretKey, { auth: { persistSession: false } }).storage.from('mashups');
  const [job] = await sql<{ songs: { song_id: string }[] }[]>`select songs from public.mashup_jobs where id = ${jobId}`;
  const files = TONES.map((_, i) => ({
    song_id: job!.songs[i < 2 ? 0 : 1]!.song_id,
    stem: STEMS[i],
    path: `generated/${jobId}/1.stems/${i}`,
    bytes: 1000,
  }));
  for (const [i, tone] of TONES.entries()) {
    for (const [part, end] of ENDS.entries()) {
      const start = ENDS[part - 1] ?? 0;
      const sine = Float32Array.from(
        { length: end - start },
        (_, k) => LEVEL * Math.sin((2 * Math.PI * tone * (start + k)) / RATE),
      );
      const file = await encodeFlac([sine, sine], RATE, {});
      const { error } = await bucket.upload(`${files[i]!.path}/${part}.flac`, file, { contentType: 'audio/flac' });
      assert.equal(error, null);
    }
  }
  const length = { sample_rate: RATE, total_frames: ENDS[1]!, ends: ENDS };
  return { state: 'ready', made_at: new Date().toISOString(), ...length, level_db: 0, residual_db: null, files };
}

/** Measures what audio contexts play that are opened from now on: `levels()` has the level of each tone, full scale 1. */
const measureContexts = (page: Page): Promise<void> =>
  page.evaluate((tones) => {
    const { connect } = AudioNode.prototype as { connect: (this: AudioNode, target: AudioNode) => AudioNode };
    let analyser: AnalyserNode | undefined;
    AudioNode.prototype.connect = function (this: AudioNode, target: AudioNode) {
      if (target === this.context.destination) {
        analyser = new AnalyserNode(this.context, { fftSize: 8192 });
        connect.call(this, analyser);
      }
      return connect.call(this, target);
    } as AudioNode['connect'];
    const levels = (): number[] => {
      const sound = new Float32Array(8192);
      analyser?.getFloatTimeDomainData(sound);
      return tones.map((tone) => {
        let [real, imaginary] = [0, 0];
        for (const [i, value] of sound.entries()) {
          const weighted = value * (1 - Math.cos((2 * Math.PI * i) / sound.length));
          real += weighted * Math.cos((2 * Math.PI * tone * i) / 44_100);
          imaginary += weighted * Math.sin((2 * Math.PI * tone * i) / 44_100);
        }
        return (2 * Math.hypot(real, imaginary)) / sound.length;
      });
    };
    Object.assign(globalThis, { levels });
  }, TONES);

/** Waits until these shares of the usual level are heard, within 0.2 dB; 0 is at least 60 dB below it. */
const heard = (page: Page, shares: number[]): Promise<unknown> =>
  page.waitForFunction(
    ([wanted, usual]) => {
      const { levels } = globalThis as unknown as { levels: () => number[] };
      return levels().every((level, i) =>
        wanted[i] === 0 ? level < usual / 1000 : Math.abs(level / (usual * wanted[i]!) - 1) < 0.024,
      );
    },
    [shares, LEVEL] as const,
    { polling: 50 },
  );

/** Tests of the page of a mashup that is complete before and after them. */
export function testMixer(fixture: () => StudioFixture, jobId: () => string): void {
  test('the mixer asks for the stems, shows how far they are, and plays them where the mashup is', async () => {
    const { page, shown, sql } = fixture();
    await sql`select mashup.pause('kind', 'render_stems')`;
    await page.goto(`${fixture().stack.info.apiUrl}/#/mashup/${jobId()}`);
    await measureContexts(page);
    await page.getByRole('button', { name: /^Play/ }).click();
    const ready = sql.json((await uploadStems(fixture(), jobId())) as never);
    await page.getByRole('button', { name: 'Open the mixer' }).click();
    await shown('mixer-status').getByText('The stems are being made. The mashup plays on.').waitFor();
    await until('the stems are asked for', async () => {
      const updated = await sql`
        update public.mashup_jobs set result = jsonb_set(result, '{stems,progress}', '40')
        where id = ${jobId()} and result -> 'stems' ->> 'state' = 'pending'`;
      return updated.count === 1;
    });
    await page.locator('[aria-label="Progress of the stems"][aria-valuenow="40"]').waitFor();
    assert.deepEqual(await pageFaults(page), []);
    await page.getByLabel('Position').fill('3');
    await sql`update public.mashup_results set stems = ${ready} where job_id = ${jobId()}`;
    await sql`update public.mashup_jobs set result = jsonb_set(result, '{stems}', '{"state": "ready"}') where id = ${jobId()}`;
    await shown('mixer-status').getByText('You hear the stems.').waitFor();
    await heard(page, [1, 1, 1]);
    assert.ok(Number(await page.getByLabel('Position').inputValue()) >= 3, 'the position does not go back');
    assert.equal(await page.getByRole('button', { name: /^Pause/ }).count(), 1);
  });

  test('stems are muted, played alone and set by keyboard, which is heard, also after a jump', async () => {
    const { page, shown } = fixture();
    const [song] = await page.getByTestId('mixer').locator('h3').allInnerTexts();
    const row = page.getByRole('region', { name: song, exact: true });
    await row.getByRole('button', { name: 'Mute Vocals' }).focus();
    await page.keyboard.press('Enter');
    await heard(page, [0, 1, 1]);
    // The letter does the same for the row that has the focus.
    await page.keyboard.press('m');
    await heard(page, [1, 1, 1]);
    await page.keyboard.press('s');
    await heard(page, [1, 0, 0]);
    await shown('channel').last().getByRole('button', { name: /^Solo/ }).press('Space');
    await heard(page, [1, 0, 1]);
    const level = shown('channel').last().getByRole('slider');
    for (let i = 0; i < 6; i++) await level.press('ArrowLeft');
    assert.equal(await level.getAttribute('aria-valuetext'), '-6 dB');
    await heard(page, [1, 0, 10 ** (-6 / 20)]);
    await page.getByLabel('Position').fill('12');
    await heard(page, [1, 0, 10 ** (-6 / 20)]);
    assert.deepEqual(await pageFaults(page), []);
    await page.getByRole('button', { name: 'Reset the mix' }).click();
    await heard(page, [1, 1, 1]);
    await page.getByRole('button', { name: 'Close the mixer' }).click();
    await page.waitForFunction(() => (document.querySelector('audio')?.currentTime ?? 0) > 12);
    assert.deepEqual(fixture().pageErrors, []);
  });
}

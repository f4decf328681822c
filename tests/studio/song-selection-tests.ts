/** Songs on the desk: dropped, refused, told apart, put in order, and heard before any mashup is asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JSHandle } from 'playwright-core';
import { measureFirstUse } from './first-use.ts';
import type { FirstUse } from './first-use.ts';
import { pageFaults, shiftOf, WORK_MS } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

const FIRST_USE_MS = 1500;
const LOADS = 3;
/** Chromium's own limit of what feels steady is 0.1. */
const STEADY = 0.02;

/** What a file manager hands over: example songs under other names, and files of so many bytes. */
function dataTransfer(
  { page }: StudioFixture,
  songs: Record<string, string>,
  blanks: Record<string, number> = {},
): Promise<JSHandle<DataTransfer>> {
  return page.evaluateHandle(
    async ([named, sized]) => {
      const transfer = new DataTransfer();
      for (const [name, example] of Object.entries(named)) {
        const bytes = await (await fetch(`/examples/${example}`)).blob();
        transfer.items.add(new File([bytes], name, { type: bytes.type }));
      }
      for (const [name, size] of Object.entries(sized)) transfer.items.add(new File([new Uint8Array(size)], name));
      return transfer;
    },
    [songs, blanks] as const,
  );
}

export function testSongSelection(fixture: () => StudioFixture): void {
  test(`the page can be used after less than ${FIRST_USE_MS} ms of work, and stays where it is`, async (t) => {
    const { browser, stack, page } = fixture();
    const loads: FirstUse[] = [];
    for (let load = 0; load < LOADS; load++) loads.push(await measureFirstUse(browser, stack.info.apiUrl));
    const shift = await shiftOf(page);
    const told = (column: keyof FirstUse): string => loads.map((load) => Math.round(load[column])).join(', ');
    const figures = `first paint after ${told('paintedMs')} ms, usable after ${told('usableMs')} ms, of which the main thread worked ${told('workedMs')} ms, blocked ${told('blockedMs')} ms at most`;
    t.diagnostic(`${figures}; layout shift ${shift}`);
    // The page's own work, which other programs on the machine do not lengthen.
    assert.ok(Math.min(...loads.map(({ workedMs }) => workedMs)) < FIRST_USE_MS, figures);
    assert.ok(shift < STEADY, `layout shift ${shift}`);
  });

  test('a file that is no audio is refused before it is uploaded, with what to do', async () => {
    const { page, shown } = fixture();
    const fake = { name: 'fake.mp3', mimeType: 'audio/mpeg', buffer: Buffer.from('<html>'.repeat(200)) };
    const empty = { name: 'empty.wav', mimeType: 'audio/wav', buffer: Buffer.alloc(0) };
    await page.getByLabel('Audio files').setInputFiles([fake, empty]);
    const alerts = page.getByRole('alert');
    await alerts.nth(1).waitFor();
    assert.match(await alerts.nth(0).innerText(), /fake\.mp3 is not an audio file.*\n*.*Choose an MP3/);
    assert.match(await alerts.nth(1).innerText(), /empty\.wav is empty/);
    assert.equal(await shown('song-card').count(), 0);
    assert.deepEqual(await pageFaults(page), []);
  });

  test('three songs are dropped, a fourth and one too large are left out; they are analysed and compared at once', async () => {
    const { page, shown, sql } = fixture();
    const files = await dataTransfer(
      fixture(),
      {
        'The Neons - Neon Drive.mp3': 'neon-drive.mp3',
        'Paper Kites.mp3': 'paper-kites.mp3',
        'Slow Harbor.ogg': 'slow-harbor.ogg',
        'One Too Many.mp3': 'neon-drive.mp3',
      },
      { 'Endless.wav': 51 * 1024 * 1024 },
    );
    await shown('drop-area').dispatchEvent('dragover', { dataTransfer: files });
    await shown('drop-area').dispatchEvent('drop', { dataTransfer: files });
    const alerts = page.getByRole('alert');
    await alerts.filter({ hasText: 'Endless.wav' }).waitFor();
    const told = (await alerts.allInnerTexts()).join('\n');
    assert.match(told, /One Too Many\.mp3 was not added: a mashup has at most 3 songs/);
    assert.match(told, /Endless\.wav (?:was not added|has 51 MB)/);
    await shown('compatibility').nth(2).waitFor({ timeout: WORK_MS });
    assert.equal(await shown('track-analysis').count(), 3);
    assert.match(await shown('song-card').first().innerText(), /Neon Drive\n+The Neons · 0:41[^]*Analysed[^]*140 bpm/);
    const words = await page.getByRole('article').allInnerTexts();
    assert.match(words.join('\n'), /Shift “.+” by [+-]\d+ semitone/);
    const drafts = await sql`select stage, hold, jsonb_array_length(songs) as songs from public.mashup_jobs`;
    assert.deepEqual(
      drafts.map((row) => ({ ...row })),
      [{ stage: 'planning', hold: 'planning', songs: 3 }],
    );
    assert.deepEqual(await pageFaults(page), []);
  });

  test('songs are put in another order and taken away, and nothing is analysed twice', async () => {
    const { page, shown, sql } = fixture();
    const names = (): Promise<string[]> => shown('song-card').locator('h3').allInnerTexts();
    await page.getByRole('button', { name: 'Move Neon Drive back' }).click();
    assert.deepEqual(await names(), ['Paper Kites', 'Neon Drive', 'Slow Harbor']);
    await page.getByRole('button', { name: 'Move Neon Drive forward' }).click();
    await page.getByRole('button', { name: 'Remove Slow Harbor' }).click();
    assert.deepEqual(await names(), ['Neon Drive', 'Paper Kites']);
    await page.waitForFunction(() => document.querySelectorAll('[data-testid=compatibility]').length === 1);
    const [analyses] = await sql`select count(*)::int as n from mashup.analyses`;
    assert.equal(analyses?.n, 3);
  });

  test('a reload keeps the songs that are uploaded', async () => {
    const { page, shown } = fixture();
    await page.reload();
    await shown('song-card').nth(1).waitFor();
    await shown('compatibility').waitFor({ timeout: WORK_MS });
    assert.equal(await shown('song-card').count(), 2);
  });

  test('a song that the engine cannot read says so on its card, with what to do', async () => {
    const page = await fixture().stranger();
    await page.getByRole('button', { name: /^Slow Harbor/ }).click();
    const bytes = await page.evaluate(async () => [
      ...new Uint8Array(await (await fetch('/examples/neon-drive.mp3')).arrayBuffer()).slice(0, 6000),
    ]);
    await page
      .getByLabel('Audio files')
      .setInputFiles({ name: 'torn.mp3', mimeType: 'audio/mpeg', buffer: Buffer.from(bytes) });
    const torn = page.getByTestId('song-card').filter({ hasText: 'torn' });
    await torn.getByRole('alert').waitFor({ timeout: WORK_MS });
    assert.match(await torn.innerText(), /Cannot be used/);
    assert.match(await torn.getByRole('alert').innerText(), /torn: The song is .+ long.*\n+Choose .*\w/);
    assert.equal(await page.getByRole('button', { name: 'Create the mashup' }).isDisabled(), true);
    assert.deepEqual(await pageFaults(page), []);
    await page.context().close();
  });
}

/** Tests of what can be heard on the first page: a finished example, and previews of the selected songs, one sound at a time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { collectPageErrors } from './browser.ts';
import { pageFaults } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

/** Notes each media element that a page plays, also those outside of it. `playing()` has the sources of those that play now. */
const noteSounds = (page: Page): Promise<unknown> =>
  page.addInitScript(() => {
    const { play } = HTMLMediaElement.prototype;
    const sounds = new Set<HTMLMediaElement>();
    HTMLMediaElement.prototype.play = function (this: HTMLMediaElement) {
      sounds.add(this);
      return play.call(this);
    };
    const playing = (): string[] => [...sounds].filter(({ paused }) => !paused).map(({ src }) => src);
    Object.assign(globalThis, { playing });
  });

/** Waits until one sound plays, whose source matches. */
const playsOnly = (page: Page, source: string): Promise<unknown> =>
  page.waitForFunction((pattern) => {
    const playing = (globalThis as unknown as { playing: () => string[] }).playing();
    return playing.length === 1 && new RegExp(pattern).test(playing[0] ?? '');
  }, source);

/** Tests of the first page, for a user who has uploaded nothing. */
export function testExample(fixture: () => StudioFixture): void {
  test('a finished example is loaded when it is asked for, and plays; its songs are heard alone, one sound at a time', async () => {
    const { stack, stranger } = fixture();
    const page = await stranger();
    const errors = collectPageErrors(page);
    await noteSounds(page);
    const requests: string[] = [];
    page.on('request', (request) => requests.push(new URL(request.url()).pathname));
    await page.goto(stack.info.apiUrl);
    await page.reload({ waitUntil: 'networkidle' });
    assert.deepEqual(
      requests.filter((path) => /^\/examples?\/|ExamplePlayer/.test(path)),
      [],
      'nothing of it is loaded with the page',
    );
    await page.getByRole('button', { name: 'Play the example mashup' }).click();
    await playsOnly(page, '/example/mashup\\.mp3$');
    const example = page.getByTestId('example');
    assert.ok((await example.getByTestId('timeline-section').count()) > 2);
    await page.waitForFunction(() => (document.querySelector('audio')?.currentTime ?? 0) > 0.2);
    assert.deepEqual(await pageFaults(page), []);
    for (const [name, file] of [
      ['Neon Drive', 'neon-drive'],
      ['Paper Kites', 'paper-kites'],
    ] as const) {
      await example.getByRole('button', { name: `Preview ${name}` }).click();
      await playsOnly(page, `/examples/${file}\\.mp3$`);
    }
    await example.getByRole('button', { name: 'Pause Paper Kites' }).waitFor();
    await page.keyboard.press('k');
    await playsOnly(page, '/example/mashup\\.mp3$');
    await example.getByRole('button', { name: 'Preview Paper Kites' }).waitFor();
    await example.getByTestId('timeline-section').nth(2).getByRole('button').click();
    await page.waitForFunction(() => (document.querySelector('audio')?.currentTime ?? 0) > 3);
    assert.deepEqual(errors, []);
    await page.context().close();
  });

  test('a selected song is heard from its file at once, and from its upload after a reload', async () => {
    const page = await fixture().stranger();
    await noteSounds(page);
    await page.reload();
    await page.getByRole('button', { name: /^Slow Harbor/ }).click();
    await page.getByRole('button', { name: 'Preview Slow Harbor' }).click();
    await playsOnly(page, '^blob:');
    await page.getByRole('button', { name: 'Pause Slow Harbor' }).click();
    await page.waitForFunction(() => (globalThis as unknown as { playing: () => string[] }).playing().length === 0);
    assert.deepEqual(await pageFaults(page), []);
    await page.getByText(/Waiting to be analysed|Analysing|Analysed/).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Preview Slow Harbor' }).click();
    await playsOnly(page, '/storage/v1/object/sign/');
    await page.context().close();
  });
}

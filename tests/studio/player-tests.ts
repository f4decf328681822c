/** Tests of the player on the page of a mashup: keys, repeated sections, volume, what screen readers and the system are told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { pageFaults } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

/** A jump is exact, but a playing position moves on meanwhile, also on a busy machine. */
const LATE_SEC = 3;

/** Notes what the page tells the system about its player, and lets `pressMedia(name, details)` press a media key. */
const noteMediaSession = (page: Page): Promise<unknown> =>
  page.addInitScript(() => {
    const handlers = new Map<string, MediaSessionActionHandler | null>();
    const positions: (MediaPositionState | undefined)[] = [];
    const session = navigator.mediaSession;
    session.setActionHandler = (name, handler) => void handlers.set(name, handler);
    session.setPositionState = (state) => void positions.push(state);
    Object.assign(globalThis, {
      positions,
      pressMedia: (action: MediaSessionAction, details: object) => handlers.get(action)?.({ action, ...details }),
    });
  });

const pressMedia = (page: Page, name: string, details = {}): Promise<void> =>
  page.evaluate(
    ([action, rest]) =>
      (globalThis as unknown as { pressMedia: (action: string, details: object) => void }).pressMedia(action, rest),
    [name, details] as const,
  );

/** Position of the player in seconds. */
const position = async (page: Page): Promise<number> => Number(await page.getByLabel('Position').inputValue());

/** Waits until the position is at most `LATE_SEC` after one in seconds. */
const isAt = (page: Page, seconds: number): Promise<unknown> =>
  page.waitForFunction(
    ([from, late]) => {
      const at = Number(document.querySelector<HTMLInputElement>('[aria-label=Position]')?.value);
      return at >= from - 0.15 && at < from + late;
    },
    [seconds, LATE_SEC] as const,
  );

/** The sections that the page shows, in seconds. */
const sectionsOf = async ({ sql }: StudioFixture, jobId: string): Promise<{ start: number; end: number }[]> => {
  const [row] =
    await sql`select plan -> 'masterplan' -> 'timeline' as timeline from public.mashup_plans where job_id = ${jobId}`;
  const timeline = row?.timeline as { time_start_sec: number; duration_sec: number }[];
  return timeline.map(({ time_start_sec: start, duration_sec: length }) => ({ start, end: start + length }));
};

/** Tests of the page of a mashup that is complete before and after them. */
export function testPlayer(fixture: () => StudioFixture, jobId: () => string): void {
  testKeys(fixture, jobId);
  testKeysElsewhere(fixture);
  testRepeat(fixture, jobId);
  testVolume(fixture);
  testMediaSession(fixture, jobId);
}

function testKeys(fixture: () => StudioFixture, jobId: () => string): void {
  test('keys of the page play, pause, jump, change the section and mute', async () => {
    const { page, stack } = fixture();
    await noteMediaSession(page);
    await page.goto(`${stack.info.apiUrl}/#/mashup/${jobId()}`);
    await page.reload();
    const playing = (isPlaying: boolean): Promise<void> =>
      page.getByRole('button', { name: isPlaying ? /^Pause/ : /^Play/ }).waitFor();
    await page.locator('button:enabled[aria-label^=Play]').waitFor();
    const sections = await sectionsOf(fixture(), jobId());
    const { keyboard } = page;
    await keyboard.press('Space');
    await playing(true);
    await keyboard.press('Space');
    await playing(false);
    await keyboard.press('k');
    await playing(true);
    await keyboard.press('K');
    await playing(false);
    await page.getByLabel('Position').fill('2');
    for (const [key, by] of [
      ['l', 10],
      ['ArrowRight', 5],
      ['ArrowLeft', -5],
      ['j', -10],
    ] as const) {
      const before = await position(page);
      await page.evaluate(() => (document.activeElement as HTMLElement).blur());
      await keyboard.press(key);
      await isAt(page, before + by);
      assert.equal(Math.round(((await position(page)) - before) * 10) / 10, by, key);
    }
    await keyboard.press('n');
    await isAt(page, sections[1]!.start);
    await keyboard.press('p');
    await isAt(page, 0);
    await keyboard.press('m');
    await page.getByRole('button', { name: 'Mute', exact: true, pressed: true }).waitFor();
    await keyboard.press('m');
    await page.getByRole('button', { name: 'Mute', exact: true, pressed: false }).waitFor();
    await keyboard.press('?');
    await page.getByTestId('key-help').waitFor();
    assert.deepEqual(await pageFaults(page), []);
  });
}

function testKeysElsewhere(fixture: () => StudioFixture): void {
  test('keys do nothing in a text, with a modifier, on a button that they press, and when they are turned off', async () => {
    const { page } = fixture();
    const { keyboard } = page;
    await page.getByLabel('Position').fill('4');
    const before = await position(page);
    const isUnchanged = async (what: string): Promise<void> => {
      assert.equal(await position(page), before, what);
      assert.equal(await page.getByRole('button', { name: /^Pause/ }).count(), 0, what);
    };
    const text = page.getByRole('textbox').last();
    await text.fill('');
    await text.pressSequentially('jk lmn');
    await text.press('ArrowLeft');
    assert.equal(await text.inputValue(), 'jk lmn');
    await isUnchanged('a text');
    await text.fill('');
    await page.getByRole('button', { name: 'Next section' }).focus();
    for (const keys of ['Control+l', 'Alt+j', 'Shift+ArrowRight', 'Meta+k']) await keyboard.press(keys);
    await isUnchanged('a modifier');
    await page.getByRole('button', { name: 'Mute', exact: true }).press('Space');
    await isUnchanged('a button');
    await page.getByRole('button', { name: 'Mute', exact: true, pressed: true }).press('Space');
    await page.getByRole('slider', { name: 'Volume' }).press('ArrowLeft');
    await isUnchanged('the volume');
    await page.getByLabel('Use these keys on the whole page').uncheck();
    await keyboard.press('k');
    await keyboard.press('l');
    await isUnchanged('keys that are turned off');
    await page.getByLabel('Use these keys on the whole page').check();
    await keyboard.press('?');
    await page.getByTestId('key-help').waitFor({ state: 'hidden' });
    // The seek bar shows its focus, and moves once for each press.
    await page.getByLabel('Position').press('ArrowRight');
    await isAt(page, before + 5);
    assert.ok((await position(page)) < before + 5.2);
    const outline = await page
      .getByLabel('Position')
      .evaluate((input) => getComputedStyle(input.parentElement!).outlineStyle);
    assert.equal(outline, 'solid');
    assert.match(
      (await page.getByLabel('Position').getAttribute('aria-valuetext')) ?? '',
      /^9 seconds of 2\d seconds$/,
    );
  });
}

function testRepeat(fixture: () => StudioFixture, jobId: () => string): void {
  test('a click on a section plays from it, and a section is repeated until the repeat is ended', async () => {
    const { page, shown } = fixture();
    const sections = await sectionsOf(fixture(), jobId());
    await shown('timeline-section').nth(1).getByRole('button').click();
    await page.getByRole('button', { name: /^Pause/ }).waitFor();
    await isAt(page, sections[1]!.start);
    await page.keyboard.press('r');
    await page.getByRole('button', { name: 'Repeat the section', pressed: true }).waitFor();
    await shown('loop').waitFor();
    const { start, end } = sections[1]!;
    await page.getByLabel('Position').fill(String(end - 0.4));
    await page.waitForFunction(
      ([from, to]) => {
        const at = document.querySelector('audio')?.currentTime ?? 0;
        return at >= from && at < to - 0.5;
      },
      [start, end] as const,
    );
    assert.ok((await position(page)) < end);
    assert.deepEqual(await pageFaults(page), []);
    // A jump to another section repeats that one.
    await page.getByLabel('Position').fill('0.5');
    await page.waitForFunction(() => document.querySelector<HTMLElement>('[data-testid=loop]')?.style.left === '0%');
    await page.getByRole('button', { name: 'Repeat the section' }).click();
    await shown('loop').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: /^Pause/ }).click();
  });
}

function testVolume(fixture: () => StudioFixture): void {
  test('volume and mute are kept over a reload', async () => {
    const { page } = fixture();
    const mute = page.getByRole('button', { name: 'Mute', exact: true });
    const volume = page.getByRole('slider', { name: 'Volume' });
    const heard = (wanted: number): Promise<unknown> =>
      page.waitForFunction((loudness) => {
        const audio = document.querySelector('audio');
        return audio !== null && (audio.muted ? 0 : audio.volume) === loudness;
      }, wanted);
    await volume.fill('0.4');
    await heard(0.4);
    await mute.click();
    await heard(0);
    await page.reload();
    await page.getByRole('button', { name: 'Mute', exact: true, pressed: true }).waitFor();
    await heard(0);
    await mute.click();
    await heard(0.4);
    assert.equal(await volume.inputValue(), '0.4');
    await volume.fill('1');
  });
}

function testMediaSession(fixture: () => StudioFixture, jobId: () => string): void {
  test('the system is told title, credits and position of what plays, and its media keys control it', async () => {
    const { page, shown } = fixture();
    const sections = await sectionsOf(fixture(), jobId());
    await page.getByRole('button', { name: /^Play/ }).click();
    await page.waitForFunction(() => navigator.mediaSession.playbackState === 'playing');
    const { title, artist } = await page.evaluate(() => {
      const { title = '', artist = '' } = navigator.mediaSession.metadata ?? {};
      return { title, artist };
    });
    assert.equal(title, await shown('title').innerText());
    assert.equal(artist, 'The Neons – Neon Drive × Paper Kites');
    await pressMedia(page, 'pause');
    await page.waitForFunction(() => navigator.mediaSession.playbackState === 'paused');
    await pressMedia(page, 'seekto', { seekTime: 3 });
    await isAt(page, 3);
    await pressMedia(page, 'seekforward', { seekOffset: 4 });
    await isAt(page, 7);
    await pressMedia(page, 'seekbackward', {});
    await isAt(page, 0);
    await pressMedia(page, 'nexttrack');
    await isAt(page, sections[1]!.start);
    const told = await page.evaluate(() =>
      (globalThis as unknown as { positions: MediaPositionState[] }).positions.at(-1),
    );
    assert.ok(Math.abs((told?.position ?? 0) - sections[1]!.start) < 0.2, JSON.stringify(told));
    assert.ok(Math.abs((told?.duration ?? 0) - sections.at(-1)!.end) < 2, JSON.stringify(told));
    await pressMedia(page, 'previoustrack');
    await isAt(page, 0);
    await pressMedia(page, 'play');
    await page.getByRole('button', { name: /^Pause/ }).click();
    assert.deepEqual(fixture().pageErrors, []);
  });
}

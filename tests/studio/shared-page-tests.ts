/** Tests of the pages of a shared mashup, by strangers without an account. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { BrowserContextOptions, Frame, Page } from 'playwright-core';
import { collectPageErrors } from './browser.ts';
import { pageFaults } from './studio-fixture.ts';
import type { StudioFixture } from './studio-fixture.ts';

/** A mashup that is shared. */
export interface SharedLinks {
  page: string;
  embedCode: string;
}

const MARKUP = `"><img src=x onerror="globalThis.injected=1"><script>globalThis.injected=1</script>`;
/** What the page of a shared mashup may request, below the origin of the stack. */
const ALLOWED =
  /^\/(s\/[\w-]{24}|share\/page\.(js|css)|theme\.js|icon\.svg|assets\/[\w-]+\.js|functions\/v1\/shared-(cover|audio)|storage\/v1\/object\/sign\/.*)$/;

/** Opens an address in the browser of somebody who has no account. */
export async function openAsStranger(
  { browser }: StudioFixture,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext({ colorScheme: 'dark', reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

const play = (page: Page | Frame): Promise<void> => page.getByRole('button', { name: /^Play/ }).click();

/** Resolves when the sound has passed a position, in seconds. */
async function passes(page: Page | Frame, seconds: number): Promise<void> {
  await page.waitForFunction((at) => (document.querySelector('audio')?.currentTime ?? 0) > at, seconds);
}

/** Tests of what a visitor sees and hears. */
export function testSharedPage(fixture: () => StudioFixture, links: () => SharedLinks): void {
  test('a stranger sees and hears a shared mashup without an account, and the page requests nothing else', async () => {
    const { shown, stack } = fixture();
    const page = await openAsStranger(fixture(), 'about:blank');
    const errors = collectPageErrors(page);
    const requested: string[] = [];
    page.on('request', (request) => requested.push(request.url()));
    await page.goto(links().page);
    const title = await page.getByTestId('title').innerText();
    assert.equal(title, await shown('title').innerText());
    assert.equal(await page.getByRole('list', { name: 'Songs', exact: true }).getByRole('listitem').count(), 2);
    await play(page);
    await passes(page, 0.5);
    const decoded = await page.evaluate(() =>
      Reflect.get(document.querySelector('audio')!, 'webkitAudioDecodedByteCount'),
    );
    assert.ok(Number(decoded) > 0);
    const sections = page.getByTestId('timeline-section');
    assert.equal(await sections.count(), await shown('timeline-section').count());
    await sections.nth(1).getByRole('button').click();
    await passes(page, 3);
    const size = await page.getByRole('img', { name: /^The waveforms/ }).evaluate(async (image: HTMLImageElement) => {
      await image.decode();
      return [image.naturalWidth, image.naturalHeight];
    });
    assert.deepEqual(size, [1200, 630]);
    // The system shows the cover, and keys of the page and sections work as in the studio.
    const artwork = await page.evaluate(() => navigator.mediaSession.metadata?.artwork[0]?.src ?? '');
    assert.match(artwork, /\/functions\/v1\/shared-cover\?token=/);
    await page.keyboard.press('?');
    const keys = await page.getByTestId('key-help').innerText();
    assert.ok(keys.includes('Repeat the section') && !keys.includes('studio version'), keys);
    await page.keyboard.press('?');
    await page.keyboard.press('r');
    await page.getByTestId('loop').waitFor();
    await page.keyboard.press('r');
    await page.getByTestId('loop').waitFor({ state: 'detached' });
    await page.keyboard.press('k');
    await page.getByRole('button', { name: /^Play/ }).waitFor();
    const meta = (name: string) => page.locator(`meta[property="${name}"]`).getAttribute('content');
    const tags = [await meta('og:title'), await meta('og:url'), await meta('og:audio:type')];
    assert.deepEqual(tags, [title, links().page, 'audio/wav']);
    assert.deepEqual(await pageFaults(page), []);
    const isAllowed = (url: string) => url.startsWith(stack.info.apiUrl) && ALLOWED.test(new URL(url).pathname);
    assert.deepEqual(
      requested.filter((url) => !isAllowed(url)),
      [],
    );
    const kept = await page.evaluate(() => localStorage.length + sessionStorage.length);
    assert.deepEqual([kept, await page.context().cookies(), errors], [0, [], []]);
    await page.context().close();
  });

  test('a shared mashup can be heard without scripts', async () => {
    const page = await openAsStranger(fixture(), links().page, { javaScriptEnabled: false });
    assert.ok(await page.locator('audio[controls]').isVisible());
    assert.ok((await page.getByRole('list', { name: 'Sections' }).getByRole('listitem').count()) > 1);
    await page.context().close();
  });
}

/**
 * Opens a shared page whose links to the file expire when `expire` is called: those that were used before are refused then. The
 * connection is so slow that a jump needs another request.
 */
async function openExpiring(
  fixture: StudioFixture,
  url: string,
): Promise<{ page: Page; errors: string[]; refused: string[]; expire: () => void }> {
  const page = await openAsStranger(fixture, 'about:blank');
  const errors = collectPageErrors(page);
  const [used, expired] = [new Set<string>(), new Set<string>()];
  const refused: string[] = [];
  // The browser requests later parts of the file by the link that the first request was led to.
  await page.route(/\/object\/sign\//, (route) => {
    const link = route.request().url();
    used.add(link);
    if (!expired.has(link)) return route.continue();
    refused.push(link);
    return route.fulfill({ status: 400, json: { statusCode: '400', error: 'InvalidJWT' } });
  });
  const devtools = await page.context().newCDPSession(page);
  const conditions = { offline: false, latency: 0, downloadThroughput: 400_000, uploadThroughput: -1 };
  await devtools.send('Network.enable');
  await devtools.send('Network.emulateNetworkConditions', conditions);
  await page.clock.install();
  await page.goto(url);
  await play(page);
  // Links that are signed in the same second are equal.
  await passes(page, 1.2);
  return { page, errors, refused, expire: () => used.forEach((link) => expired.add(link)) };
}

/** Tests of what happens when the link to the file, which is valid for a minute, expires while a visitor listens. */
export function testExpiredLink(fixture: () => StudioFixture, links: () => SharedLinks): void {
  test('a visitor who pauses for two minutes plays on, and seeks, by new links and without errors', async () => {
    const { page, errors, refused, expire } = await openExpiring(fixture(), links().page);
    const source = (): Promise<string> => page.evaluate(() => document.querySelector('audio')?.src ?? '');
    const first = await source();
    expire();
    await page.clock.fastForward('01:00');
    assert.equal(await source(), first, 'a new link does not interrupt the sound');
    await page.getByLabel('Position').fill('18');
    await passes(page, 18.3);
    const second = await source();
    assert.notEqual(second, first);
    await page.getByRole('button', { name: /^Pause/ }).click();
    expire();
    await page.clock.fastForward('02:00');
    await page.getByLabel('Position').fill('6');
    await play(page);
    await passes(page, 6.3);
    assert.notEqual(await source(), second);
    assert.deepEqual([errors, refused], [[], []]);
    await page.context().close();
  });

  test('a shared mashup plays on at its position when its link to the file has expired unexpectedly', async () => {
    const { page, refused, expire } = await openExpiring(fixture(), links().page);
    expire();
    await page.getByLabel('Position').fill('18');
    await passes(page, 18.3);
    assert.equal(refused.length, 1);
    await page.getByRole('button', { name: /^Pause/ }).waitFor();
    await page.context().close();
  });
}

/** Tests of markup in texts, and of the player in frames. */
export function testSharedMarkupAndFrames(
  fixture: () => StudioFixture,
  jobId: () => string,
  links: () => SharedLinks,
): void {
  test('markup in the title of a shared mashup is text', async () => {
    const { sql } = fixture();
    const [job] = await sql`select title from public.mashup_jobs where id = ${jobId()}`;
    await sql`update public.mashup_jobs set title = ${MARKUP} where id = ${jobId()}`;
    const page = await openAsStranger(fixture(), links().page);
    await page.getByRole('button', { name: /^Play/ }).waitFor();
    assert.equal(await page.getByTestId('title').innerText(), MARKUP);
    assert.equal(await page.evaluate(() => 'injected' in globalThis), false);
    await sql`update public.mashup_jobs set title = ${job?.['title'] as string} where id = ${jobId()}`;
    await page.context().close();
  });

  test('the embedded player plays on a page of another origin, which cannot frame the page itself', async () => {
    const { page: link, embedCode } = links();
    const site = createServer((_, response) => {
      const body = `<!doctype html><title>Blog</title>${embedCode}<iframe id="page" src="${link}"></iframe>`;
      response.writeHead(200, { 'content-type': 'text/html' }).end(body);
    });
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    const page = await openAsStranger(fixture(), `http://127.0.0.1:${(site.address() as AddressInfo).port}`);
    const embed = page.frames().find((frame) => frame.url().includes('/embed/'));
    assert.ok(embed);
    await play(embed);
    await passes(embed, 0.3);
    const heights = await embed.evaluate(() => [document.documentElement.scrollHeight, innerHeight]);
    assert.deepEqual(heights, [180, 180]);
    await page.setViewportSize({ width: 360, height: 740 });
    const narrow = await embed.evaluate(() => [
      document.documentElement.scrollHeight,
      document.querySelector('h1')!.clientWidth > innerWidth - 48,
    ]);
    assert.deepEqual(narrow, [180, true], 'a narrow frame shows the title in its whole width');
    assert.equal(await page.frameLocator('#page').getByTestId('title').count(), 0);
    await page.context().close();
    site.closeAllConnections();
    site.close();
  });
}

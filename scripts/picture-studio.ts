/**
 * Takes the pictures of the studio for README and docs: `npm run docs:screenshots [-- URL]`.
 *
 * Starts a stack in a temporary directory, or takes the running one of the URL. Two of the example songs are made into a mashup in the page
 * itself; its mixer is opened, and it is played to its drop. The command fails if the page or its console has an error.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { startStack } from '../local/index.ts';
import { collectPageErrors, openBrowser } from '../tests/studio/browser.ts';

const IMAGES = join(import.meta.dirname, '..', 'docs', 'images');
const SONGS = ['Neon Drive', 'Paper Kites'];
/** Width of the picture in pixels, and what it shows below the last row of the timeline. */
const WIDTH = 1240;
const MARGIN = 8;
const PATIENCE_MS = 600_000;
/** Where the picture is taken, in seconds: in the drop. */
const POSITION = 18;

/** Starts a stack of its own, and calls `work` with the address of its studio. */
async function withStack(work: (url: string) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'mashup-pictures-'));
  try {
    const stack = await startStack({ dataDir, portBase: 0, log: (line) => console.log(line) });
    try {
      if (stack.info.studioUrl === null) throw new Error('the studio is not built');
      await work(stack.info.studioUrl);
    } finally {
      await stack.stop();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Makes a mashup in the page, opens its mixer, and plays it to the position. */
async function makeMashup(page: Page): Promise<void> {
  for (const name of SONGS) await page.getByRole('button', { name: new RegExp(`^${name}`) }).click();
  await page.getByTestId('compatibility').waitFor();
  await page.getByRole('button', { name: 'Create the mashup' }).click();
  await page.getByTestId('result').waitFor();
  await page.getByRole('button', { name: 'Open the mixer' }).click();
  await page.getByText('You hear the stems.').or(page.getByText('The stems are being loaded.')).first().waitFor();
  await page.getByRole('button', { name: /^Play/ }).first().click();
  await page.getByText('You hear the stems.').waitFor();
  await page.getByLabel('Position').fill(String(POSITION));
  await page.waitForFunction(
    (position) => Number(document.querySelector<HTMLInputElement>('[aria-label="Position"]')?.value ?? 0) > position,
    POSITION,
  );
  await page.evaluate(() => {
    (document.activeElement as HTMLElement | null)?.blur();
    scrollTo(0, 0);
  });
}

/** Takes all pictures of a studio. @throws Error if the page has errors */
async function takePictures(url: string): Promise<void> {
  const browser = await openBrowser();
  try {
    const context = await browser.newContext({
      viewport: { width: WIDTH, height: 1000 },
      colorScheme: 'dark',
      reducedMotion: 'reduce',
    });
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const errors = collectPageErrors(page);
    await page.goto(url);
    await makeMashup(page);
    const lowest = await page.getByTestId('timeline-layer').last().boundingBox();
    if (lowest === null) throw new Error('the timeline has no layers');
    const clip = { x: 0, y: 0, width: WIDTH, height: Math.round(lowest.y + lowest.height + MARGIN) };
    await page.screenshot({ path: join(IMAGES, 'studio.png'), fullPage: true, clip });
    if (errors.length > 0) throw new Error(`the page has errors: ${errors.join(', ')}`);
  } finally {
    await browser.close();
  }
}

const [given] = process.argv.slice(2);
await (given === undefined ? withStack(takePictures) : takePictures(given));

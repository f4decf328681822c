/**
 * Takes the README's picture of the studio on a running stack: `node scripts/picture-studio.ts [URL] [FILE]`.
 *
 * Two of the example songs are made into a mashup in the page itself, which is then played to its drop.
 */
import { join } from 'node:path';
import { openBrowser } from '../tests/studio/browser.ts';

const [url = 'http://127.0.0.1:54321', file = join(import.meta.dirname, '..', 'docs', 'images', 'studio.png')] =
  process.argv.slice(2);
const VIEW = { width: 1240, height: 1000 };
const PATIENCE_MS = 300_000;
/** Where the picture is taken, in seconds. */
const POSITION = 18;

const browser = await openBrowser();
try {
  const context = await browser.newContext({ viewport: VIEW, colorScheme: 'dark', reducedMotion: 'reduce' });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  await page.goto(url);
  for (const name of ['Neon Drive', 'Paper Kites']) {
    await page.getByRole('button', { name: new RegExp(`^${name}`) }).click();
  }
  await page.getByTestId('compatibility').waitFor();
  await page.getByRole('button', { name: 'Create the mashup' }).click();
  await page.getByTestId('result').waitFor();
  await page.getByRole('button', { name: /^Play/ }).click();
  await page.getByLabel('Position').fill(String(POSITION));
  await page.waitForFunction((position) => (document.querySelector('audio')?.currentTime ?? 0) > position, POSITION);
  await page.evaluate(() => {
    (document.activeElement as HTMLElement | null)?.blur();
    scrollTo(0, 0);
  });
  await page.screenshot({ path: file });
} finally {
  await browser.close();
}

/** A fixture with a stack and a browser on its studio, and helpers that look at the page as users do. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import postgres from 'postgres';
import { startStack } from '../../local/index.ts';
import type { Stack } from '../../local/index.ts';
import { until as untilHolds } from '../support/until.ts';
import { collectPageErrors, openBrowser, seriousViolations } from './browser.ts';

/** Time limit for separating and rendering two songs, and for one action in the page, on a busy machine. */
export const WORK_MS = 120_000;
export const PHONE = { width: 360, height: 740 };
export const DESKTOP = { width: 1280, height: 900 };
const MAX_TABS = 120;

export interface StudioFixture {
  stack: Stack;
  sql: postgres.Sql;
  browser: Browser;
  context: BrowserContext;
  page: Page;
  /** Errors of the page and its console. */
  pageErrors: string[];
  /** The job in the page's address, or ''. */
  jobId(): string;
  /** The elements with this test id. */
  shown(id: string): Locator;
  /** The stage that the page shows. */
  stage(): Promise<string | null>;
  /** Opens the studio in the browser of another user. */
  stranger(): Promise<Page>;
  close(): Promise<void>;
}

const jobIdOf = (url: string): string => /#\/mashup\/([0-9a-f-]{36})/.exec(url)?.[1] ?? '';

/** Starts a stack and opens its studio in a browser. */
export async function startStudioFixture(): Promise<StudioFixture> {
  const dataDir = await mkdtemp(join(tmpdir(), 'mashup-studio-'));
  const [stack, browser] = await Promise.all([
    startStack({ dataDir, portBase: 0, postgresSettings: { fsync: 'off' } }),
    openBrowser(),
  ]);
  const sql = postgres(stack.info.dbUrl, { max: 1 });
  // Short mashups keep the test short.
  await sql`update mashup.settings set value = '24' where name in ('plan_min_length_sec', 'plan_max_length_sec')`;
  const open = async (): Promise<BrowserContext> => {
    const context = await browser.newContext({ viewport: DESKTOP, colorScheme: 'dark', reducedMotion: 'reduce' });
    context.setDefaultTimeout(WORK_MS);
    return context;
  };
  const context = await open();
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: stack.info.apiUrl });
  const page = await context.newPage();
  await measureShifts(page);
  const pageErrors = collectPageErrors(page);
  await page.goto(stack.info.apiUrl);
  const shown = (id: string): Locator => page.getByTestId(id);
  return {
    stack,
    sql,
    browser,
    context,
    page,
    pageErrors,
    jobId: () => jobIdOf(page.url()),
    shown,
    stage: () => shown('stage-track').getAttribute('data-stage'),
    async stranger() {
      const other = await (await open()).newPage();
      await other.goto(stack.info.apiUrl);
      return other;
    },
    async close() {
      await browser.close();
      await sql.end();
      await stack.stop();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Accessibility and layout faults of a page: axe with dark colours, contrast with light colours, width on a phone. */
export async function pageFaults(page: Page): Promise<string[]> {
  const faults = await seriousViolations(page);
  const setDark = (isDark: boolean): Promise<void> =>
    page.evaluate(async (dark) => {
      document.documentElement.classList.toggle('dark', dark);
      // Waits until the page is drawn in the new colours.
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    }, isDark);
  await setDark(false);
  faults.push(...(await seriousViolations(page, ['color-contrast'])).map((fault) => `light: ${fault}`));
  await setDark(true);
  await page.setViewportSize(PHONE);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  if (width > PHONE.width) faults.push(`${width} px wide on a phone`);
  await page.setViewportSize(DESKTOP);
  return faults;
}

/** Reaches a control with the Tab key and presses Enter. Throws if the keyboard does not reach it. */
export async function pressByKeyboard(page: Page, control: Locator): Promise<void> {
  await control.waitFor();
  for (let tabs = 0; tabs < MAX_TABS; tabs++) {
    await page.keyboard.press('Tab');
    if (await control.evaluate((element) => element === document.activeElement)) return page.keyboard.press('Enter');
  }
  throw new Error(`the keyboard does not reach ${String(control)}`);
}

/** Waits until the condition holds. @throws after WORK_MS */
export const until = (what: string, condition: () => Promise<boolean>): Promise<void> =>
  untilHolds(what, condition, WORK_MS);

/** Makes a mashup of two example songs in the page. Returns its id when it is complete. */
export async function makeMashup({ page, shown, jobId }: StudioFixture): Promise<string> {
  for (const name of ['Neon Drive', 'Paper Kites']) {
    await page.getByRole('button', { name: new RegExp(`^${name}`) }).click();
  }
  await shown('compatibility').waitFor({ timeout: WORK_MS });
  await page.getByRole('button', { name: 'Create the mashup' }).click();
  await shown('result').waitFor({ timeout: WORK_MS });
  return jobId();
}

/** Controls of render tasks in the database: hold and release them, replay a job, and wait for its stage. */
export function renderControls({ sql }: Pick<StudioFixture, 'sql'>): {
  hold(): Promise<unknown>;
  release(): Promise<unknown>;
  replay(jobId: string): Promise<unknown>;
  reaches(jobId: string, stage: string): Promise<void>;
} {
  return {
    hold: () => sql`select mashup.pause('kind', 'render')`,
    release: () => sql`select mashup.resume('kind', 'render')`,
    replay: (jobId) => sql`update public.mashup_jobs set stage = 'rendering' where id = ${jobId}`,
    reaches: (jobId, stage) =>
      until(`${jobId} is ${stage}`, async () => {
        const [job] = await sql`select stage from public.mashup_jobs where id = ${jobId}`;
        return job?.stage === stage;
      }),
  };
}

async function measureShifts(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const shifts: number[] = [];
    Object.assign(globalThis, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { value, hadRecentInput } = entry as PerformanceEntry & { value: number; hadRecentInput: boolean };
        if (!hadRecentInput) shifts.push(value);
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
}

/** Layout shift since the page was loaded: the sum of Chromium's scores. */
export function shiftOf(page: Page): Promise<number> {
  return page.evaluate(() =>
    (globalThis as unknown as { shifts: number[] }).shifts.reduce((sum, value) => sum + value, 0),
  );
}

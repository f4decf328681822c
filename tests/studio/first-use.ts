/** How soon the studio can be used, and what that costs the page: measured on a load without any cache. */
import type { Browser } from 'playwright-core';
import { DESK } from './studio-fixture.ts';

/** Times in milliseconds since the navigation began; work is processor time of the page's main thread. */
export interface FirstUse {
  paintedMs: number;
  usableMs: number;
  workedMs: number;
  /** The part of the work that is script. */
  scriptMs: number;
  /** Longest time for which the page could not have answered. */
  blockedMs: number;
}

/** Loads the page in a fresh browser context, until its first control can be pressed. */
export async function measureFirstUse(browser: Browser, url: string): Promise<FirstUse> {
  const context = await browser.newContext({ viewport: DESK });
  try {
    const page = await context.newPage();
    await page.addInitScript(() => {
      const tasks: number[] = [];
      Object.assign(globalThis, { tasks });
      new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
        type: 'longtask',
        buffered: true,
      });
    });
    const devtools = await context.newCDPSession(page);
    // Ticks of the thread: what other programs on the machine do is not counted.
    await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
    await page.goto(url, { waitUntil: 'commit' });
    await page.waitForFunction(() => document.querySelector('main button:not(:disabled)') !== null);
    const seen = await page.evaluate(() => ({
      usableMs: performance.now(),
      paintedMs: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? performance.now(),
      blockedMs: Math.max(0, ...(globalThis as unknown as { tasks: number[] }).tasks),
    }));
    const { metrics } = await devtools.send('Performance.getMetrics');
    const workOf = (name: string): number => (metrics.find((one) => one.name === name)?.value ?? Infinity) * 1000;
    return { ...seen, workedMs: workOf('TaskDuration'), scriptMs: workOf('ScriptDuration') };
  } finally {
    await context.close();
  }
}

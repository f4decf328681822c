/** Measures when the studio is usable, and the processor time that it needs, on a load without a cache. */
import type { Browser } from 'playwright-core';
import { DESKTOP } from './studio-fixture.ts';

/** Times in milliseconds since the navigation; `workedMs` is processor time of the page's main thread. */
export interface FirstUse {
  paintedMs: number;
  usableMs: number;
  workedMs: number;
  /** Processor time of scripts, a part of `workedMs`. */
  scriptMs: number;
  /** Longest time for which the main thread was blocked. */
  blockedMs: number;
}

/** Loads the page in a fresh browser context, until its first control can be pressed. */
export async function measureFirstUse(browser: Browser, url: string): Promise<FirstUse> {
  const context = await browser.newContext({ viewport: DESKTOP });
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
    // Thread time does not count other programs on the machine.
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

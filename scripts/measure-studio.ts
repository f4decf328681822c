/**
 * Measures how soon the studio of a running stack can be used: `node scripts/measure-studio.ts [URL] [--loads 5]`.
 *
 * Each load is a fresh browser context without a cache. Prints a line a load and the median; by the clock it depends on what
 * else the machine does, so the load of the machine stands below.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { openBrowser } from '../tests/studio/browser.ts';
import { measureFirstUse } from '../tests/studio/first-use.ts';
import type { FirstUse } from '../tests/studio/first-use.ts';
import { markdownTable } from './song-folder.ts';

const COLUMNS = {
  'first paint': 'paintedMs',
  usable: 'usableMs',
  'main thread': 'workedMs',
  'of it script': 'scriptMs',
  'longest block': 'blockedMs',
} as const satisfies Record<string, keyof FirstUse>;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { loads: { type: 'string', default: '5' } },
});
const url = positionals[0] ?? 'http://127.0.0.1:54321';

const browser = await openBrowser();
const loads: FirstUse[] = [];
for (let load = 0; load < Number(values.loads); load++) loads.push(await measureFirstUse(browser, url));
await browser.close();

const median = (column: keyof FirstUse): number =>
  loads.map((load) => load[column]).toSorted((a, b) => a - b)[Math.floor(loads.length / 2)] ?? NaN;
const row = (load: string, valueOf: (column: keyof FirstUse) => number): Record<string, string | number> => ({
  load,
  ...Object.fromEntries(Object.entries(COLUMNS).map(([title, column]) => [title, Math.round(valueOf(column))])),
});
const rows = loads.map((load, index) => row(String(index + 1), (column) => load[column]));
const machine = loadavg()
  .map((one) => one.toFixed(1))
  .join(', ');
console.log(markdownTable([...rows, row('median', median)]));
console.log(`\nMilliseconds. Load of the machine: ${machine}.`);

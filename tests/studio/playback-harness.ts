/** Opens the page of the playback tests in a browser, with parts of a sound whose samples are all known. */
import { join } from 'node:path';
import type { Browser, Page, Route } from 'playwright-core';
import { build } from 'vite';
import { encodeFlac } from '../../audio/encode/encode-flac.ts';
import type { PlaybackPage } from './playback-page.ts';

export const RATE = 44_100;
const ORIGIN = 'http://localhost:9';
/** Time limit of Playwright for one action: sound is played in its own time, also on a busy machine. */
const ACTION_MS = 120_000;
const ROOT = join(import.meta.dirname, '..', '..');

/** A sound of integers of 16 bits, left and right in turns, and its parts as FLAC files. */
export interface Sound {
  samples: Int16Array;
  ends: number[];
  files: Uint8Array<ArrayBuffer>[];
}

/**
 * Noise, and a sine on each side: each place sounds different, and each join goes on smoothly.
 * @param sine level of the sines, 0..0.4
 */
export async function makeSound(ends: number[], sine = 0.4): Promise<Sound> {
  const total = ends.at(-1) ?? 0;
  const channels = [new Float32Array(total), new Float32Array(total)];
  let state = 1;
  for (let i = 0; i < total; i++) {
    state = (state * 48_271) % 0x7fffffff;
    const noise = (state / 0x7fffffff - 0.5) * 0.1;
    channels.forEach((channel, k) => {
      const value = sine * Math.sin((2 * Math.PI * (k === 0 ? 441.7 : 311.3) * i) / RATE + 1) + noise;
      channel[i] = Math.round(value * 32_768) / 32_768;
    });
  }
  const samples = Int16Array.from({ length: 2 * total }, (_, i) => Math.round(channels[i % 2]![i >> 1]! * 32_768));
  const files = await Promise.all(
    ends.map((end, i) => {
      const part = channels.map((channel) => channel.subarray(ends[i - 1] ?? 0, end));
      return encodeFlac(part, RATE, {});
    }),
  );
  return { samples, ends, files };
}

let script: Promise<string> | undefined;

/** The script of the page, built once. */
function pageScript(): Promise<string> {
  return (script ??= (async () => {
    const built = await build({
      root: ROOT,
      configFile: false,
      logLevel: 'error',
      define: { 'process.env.NODE_ENV': '"production"' },
      build: {
        write: false,
        minify: false,
        lib: { entry: join(import.meta.dirname, 'playback-page.ts'), formats: ['es'], fileName: 'page' },
      },
    });
    const { output } = (Array.isArray(built) ? built[0] : built) as { output: { code?: string }[] };
    return output[0]?.code ?? '';
  })());
}

/** Files of the page by their names below the origin. A file that is missing is answered by 404. */
export type Files = Map<string, Uint8Array>;

/** The answer to a request for a file, or for a range of it: without ranges a browser cannot jump. */
function answer(file: Uint8Array, range: string | undefined): Parameters<Route['fulfill']>[0] {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  if (from === undefined) return { body: Buffer.from(file), headers: { 'accept-ranges': 'bytes' } };
  const end = to === undefined || to === '' ? file.length : Number(to) + 1;
  const headers = { 'accept-ranges': 'bytes', 'content-range': `bytes ${from}-${end - 1}/${file.length}` };
  return { status: 206, headers, body: Buffer.from(file.subarray(Number(from), end)) };
}

/** Opens the page. @param before a script that runs before the page's own */
export async function openPlayback(browser: Browser, files: Files, before = ''): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(ACTION_MS);
  const code = await pageScript();
  await page.route(`${ORIGIN}/**`, async (route) => {
    const name = new URL(route.request().url()).pathname.slice(1);
    const file = files.get(name);
    if (name === '') {
      const body = `<!doctype html><script>${before}</script><script type="module" src="/page.js"></script>`;
      await route.fulfill({ contentType: 'text/html', body });
    } else if (name === 'page.js') await route.fulfill({ contentType: 'text/javascript', body: code });
    else if (file !== undefined) await route.fulfill(answer(file, route.request().headers().range));
    else await route.fulfill({ status: 404 });
  });
  await page.goto(`${ORIGIN}/`);
  await page.waitForFunction(() => 'page' in globalThis);
  return page;
}

/** The page's own object, inside of `evaluate`. */
export type InPage = { page: PlaybackPage };

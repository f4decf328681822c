/** The tarballs work outside the repository: the engine in an empty folder, client and components in a Vite app. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import postgres from 'postgres';
import { startStack } from '../../local/index.ts';
import { collectPageErrors, openBrowser, reasonToSkip } from '../studio/browser.ts';
import { installProject, makeTarball, outsideFolder, runIn } from './tarballs.ts';

const ROOT = join(import.meta.dirname, '../..');
const SONGS = ['neon-drive.mp3', 'paper-kites.mp3'].map((name) => join(ROOT, 'examples', name));
const WORK_MS = 300_000;
const VITE = '7.2.7';
const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
};

const text = async (file: string): Promise<Record<string, Record<string, string>>> =>
  JSON.parse(await readFile(join(ROOT, file), 'utf8')) as Record<string, Record<string, string>>;

/** Serves the files of a built app. */
async function serve(folder: string): Promise<string> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const file = join(folder, path === '/' ? 'index.html' : path);
    readFile(file).then(
      (body) =>
        response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(body),
      () => response.writeHead(404).end(),
    );
  }).listen(0, '127.0.0.1');
  after(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/**
 * Errors of the compiler in an app that checks the declarations of its packages too. Those of supabase-js 2.119 do not compile
 * (`skipLibCheck: false`, TypeScript 6.0) and are left out.
 */
async function typeErrors(project: string): Promise<string[]> {
  const lines = await runIn(project, 'npx', ['tsc', '--noEmit', '--pretty', 'false'], { PATH: process.env.PATH }).catch(
    (error: unknown) => String(error),
  );
  return lines.split('\n').filter((line) => / error TS\d+:/.test(line) && !/node_modules\/@supabase\//.test(line));
}

/** Makes a mashup in the app of an integrator and saves it as FLAC. */
async function makeInPage(page: Page): Promise<void> {
  await page.getByLabel('Audio files').first().setInputFiles(SONGS);
  await page.getByTestId('compatibility').waitFor({ timeout: WORK_MS });
  await page.getByRole('button', { name: 'Create the mashup' }).click();
  await page.getByTestId('result').waitFor({ timeout: WORK_MS });
  const followed = page.getByTestId('followed');
  await followed.filter({ hasText: 'complete Done 2' }).waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download', { timeout: WORK_MS }),
    page.getByRole('button', { name: /^FLAC/ }).click(),
  ]);
  const head = (await readFile(await download.path())).subarray(0, 4).toString();
  assert.equal(head, 'fLaC');
}

/** The components have their style, and the page keeps its own. */
async function checkStyles(page: Page): Promise<void> {
  const styleOf = (selector: string, property: string): Promise<string> =>
    page
      .locator(selector)
      .first()
      .evaluate((element, name) => getComputedStyle(element).getPropertyValue(name), property);
  assert.equal(await styleOf('h1', 'font-size'), '41px');
  assert.equal(await styleOf('button:text("Mine")', 'padding-left'), '31px');
  assert.equal(await styleOf('button:text("Choose files")', 'padding-left'), '20px');
  assert.equal(await styleOf('button:text("Choose files")', 'background-color'), 'rgb(91, 63, 214)');
  assert.equal(await styleOf('[data-testid=drop-area]', 'border-top-left-radius'), '16px');
}

test('the engine makes a mashup in an empty folder', async (t) => {
  const folder = await outsideFolder(t);
  const tarball = await makeTarball('mashup-engine', folder);
  const project = join(folder, 'project');
  await installProject(project, { 'mashup-engine': `file:${tarball}` });
  for (const song of SONGS) await cp(song, join(project, song.endsWith('drive.mp3') ? 'a.mp3' : 'b.mp3'));
  const make = ['mashup', '--port-base', '0', 'make', 'a.mp3', 'b.mp3', '--length', '24', '--out', 'out.wav'];
  await runIn(project, 'npx', make);
  assert.ok((await stat(join(project, 'out.wav'))).size > 1_000_000);
  assert.deepEqual((await readdir(join(project, '.mashup'))).includes('postgres'), true);
});

describe('an app with Vite, React and TypeScript', { skip: reasonToSkip() }, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'mashup-integrator-'));
  const [stack, browser] = await Promise.all([
    startStack({ dataDir, portBase: 0, postgresSettings: { fsync: 'off' } }),
    openBrowser(),
  ]);
  const sql = postgres(stack.info.dbUrl, { max: 1 });
  await sql`update mashup.settings set value = '24' where name in ('plan_min_length_sec', 'plan_max_length_sec')`;
  after(async () => {
    await browser.close();
    await sql.end();
    await stack.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });
  const { devDependencies, dependencies } = await text('package.json');
  const versions = { ...dependencies, ...devDependencies };

  for (const react of ['18.3.1', versions.react ?? '']) {
    test(`compiles, builds and makes a mashup with React ${react}`, async (t) => {
      const folder = await outsideFolder(t);
      const client = await makeTarball('@mashup-engine/client', folder);
      const components = await makeTarball('@mashup-engine/react', folder);
      const project = join(folder, 'project');
      const types = react.startsWith('18') ? '18' : '19';
      await installProject(project, {
        '@mashup-engine/client': `file:${client}`,
        '@mashup-engine/react': `file:${components}`,
        '@supabase/supabase-js': versions['@supabase/supabase-js'] ?? '',
        '@types/react': types,
        '@types/react-dom': types,
        '@vitejs/plugin-react': '5',
        react,
        'react-dom': react,
        typescript: versions.typescript ?? '',
        vite: VITE,
      });
      await cp(join(import.meta.dirname, 'app'), project, { recursive: true });
      assert.deepEqual(await typeErrors(project), []);
      await runIn(project, 'npx', ['vite', 'build'], { PATH: process.env.PATH });
      const page = await (await browser.newContext({ acceptDownloads: true })).newPage();
      const errors = collectPageErrors(page);
      const query = new URLSearchParams({ url: stack.info.apiUrl, key: stack.info.anonKey });
      await page.goto(`${await serve(join(project, 'dist'))}/?${query.toString()}`);
      await page.getByTestId('drop-area').waitFor();
      await checkStyles(page);
      await makeInPage(page);
      assert.deepEqual(errors, []);
    });
  }
});

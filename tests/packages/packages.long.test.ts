/** What the published packages contain, how large they are, and that they need nothing that they do not declare. */
import assert from 'node:assert/strict';
import { builtinModules } from 'node:module';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import ts from 'typescript';
import { packReport, runIn } from './tarballs.ts';
import type { Packed } from './tarballs.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Budgets in bytes. Measured: client 5.6 kB gzipped; tarballs 12 kB, 0.22 MB and, with the studio, 3.2 MB. */
const CLIENT_GZIP_LIMIT = 12_000;
const TARBALL_LIMITS = { client: 40_000, react: 500_000, engine: 2_000_000 };
const STYLE_LIMIT = 50_000;
const UNWANTED = /(^|\/)(tests?|bench|findings|node_modules)\/|\.test\.|\.tsx$|tsconfig|\.env/;

let folder: string;
const packed = {} as Record<keyof typeof TARBALL_LIMITS, Packed>;
const read = (name: keyof typeof packed, file: string): Promise<string> => readFile(join(folder, name, file), 'utf8');
const paths = (name: keyof typeof packed): string[] => packed[name].files.map(({ path }) => path);

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mashup-packages-'));
  packed.client = await packReport('@mashup-engine/client', join(folder, 'client'), {});
  packed.react = await packReport('@mashup-engine/react', join(folder, 'react'), { declarations: false });
  packed.engine = await packReport('mashup-engine', join(folder, 'engine'), { studio: false });
});

after(() => rm(folder, { recursive: true, force: true }));

/** The packages that a file of JavaScript imports, without those of Node. */
function importedPackages(text: string): string[] {
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => !name.startsWith('.') && !name.startsWith('node:') && !builtinModules.includes(name))
    .map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name);
}

describe('packages', () => {
  test('tarballs are small and contain no tests and no sources that only the repository runs', () => {
    for (const name of Object.keys(TARBALL_LIMITS) as (keyof typeof TARBALL_LIMITS)[]) {
      assert.ok(packed[name].size < TARBALL_LIMITS[name], `${name} has ${packed[name].size} bytes`);
      assert.deepEqual(
        paths(name).filter((path) => UNWANTED.test(path)),
        [],
      );
      for (const file of ['README.md', 'LICENSE']) assert.ok(paths(name).includes(file), `${name} has no ${file}`);
    }
  });

  test('published manifests are public, run no scripts, and name only files that are packed', async () => {
    for (const name of ['client', 'react'] as const) {
      const manifest = JSON.parse(await read(name, 'package.json')) as Record<string, unknown>;
      assert.deepEqual(
        [manifest.private, manifest.scripts, manifest.devDependencies],
        [undefined, undefined, undefined],
      );
      const named = [...JSON.stringify(manifest.exports).matchAll(/"\.\/(dist[^"]*)"/g)].map((match) => match[1]);
      assert.ok(named.length > 0);
      const isPacked = (path = ''): boolean =>
        paths(name).includes(path) || (name === 'react' && path.endsWith('.d.ts'));
      assert.deepEqual(
        named.filter((path) => !isPacked(path)),
        [],
      );
    }
  });

  test('the client has less than 12 kB gzipped and imports only supabase-js', async () => {
    const text = await read('client', 'dist/index.js');
    const size = gzipSync(text).length;
    console.log(`client: ${size} bytes gzipped`);
    assert.ok(size < CLIENT_GZIP_LIMIT, `${size} bytes`);
    assert.deepEqual([...new Set(importedPackages(text))], ['@supabase/supabase-js']);
  });

  test('the declarations of the client need only those of supabase-js', async () => {
    const own = paths('client').filter((path) => path.endsWith('.d.ts'));
    for (const path of own) {
      const text = await read('client', path);
      for (const { fileName } of ts.preProcessFile(text).importedFiles) {
        const target = posix.join(posix.dirname(path), fileName).replace(/\.js$/, '.d.ts');
        assert.ok(fileName === '@supabase/supabase-js' || own.includes(target), `${path} imports ${fileName}`);
      }
    }
    const job = await read('client', 'dist/types.d.ts');
    assert.match(job, /estimatedCompletionAt: string \| null;/);
    assert.doesNotMatch(job, /^ {4}\w+_\w+\??:/m);
  });

  test('the components import only React, supabase-js and the client', async () => {
    const scripts = paths('react').filter((path) => path.endsWith('.js') && !path.endsWith('encode-worker.js'));
    const imported = await Promise.all(scripts.map(async (path) => importedPackages(await read('react', path))));
    assert.deepEqual(
      [...new Set(imported.flat())].sort(),
      ['@mashup-engine/client', '@supabase/supabase-js', 'react'].filter((name) => imported.flat().includes(name)),
    );
    assert.ok(paths('react').includes('dist/encode-worker.js'));
    assert.ok(paths('react').some((path) => path.endsWith('.wasm')));
  });

  test('the style sheet holds for the components alone', async () => {
    const css = await read('react', 'dist/styles.css');
    assert.ok(css.length < STYLE_LIMIT, `${css.length} bytes`);
    const selectors = css
      .replace(/@keyframes [\w-]+\{(?:[^{}]*\{[^{}]*\})*\}/g, '')
      .replace(/@(?:media|supports)[^{]*\{/g, '')
      .match(/[^{}]+(?=\{)/g);
    assert.deepEqual(
      (selectors ?? []).filter((selector) => !selector.includes('.mashup-ui')),
      [],
    );
  });

  test('the engine imports only what its manifest declares, and files that are packed', async () => {
    const { dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const all = new Set(paths('engine'));
    const faults: string[] = [];
    for (const path of paths('engine').filter((one) => /\.(js|ts)$/.test(one))) {
      const text = await read('engine', path);
      for (const { fileName } of ts.preProcessFile(text, true, true).importedFiles) {
        if (
          fileName.startsWith('.') &&
          fileName !== './main.ts' &&
          !all.has(posix.join(posix.dirname(path), fileName))
        ) {
          faults.push(`${path}: ${fileName}`);
        }
      }
      if (path.startsWith('dist/supabase/')) continue;
      for (const name of importedPackages(text)) if (!(name in dependencies)) faults.push(`${path}: ${name}`);
    }
    assert.deepEqual(faults, []);
  });

  test('the engine contains its migrations, functions, SQL and prompts', () => {
    const all = paths('engine');
    for (const part of [
      /^cli\/mashup\.js$/,
      /^dist\/supabase\/migrations\/.*\.sql$/,
      /^dist\/supabase\/functions\/generate-mashup\/index\.js$/,
      /^dist\/supabase\/functions\/generate-mashup\/index\.ts$/,
      /^dist\/supabase\/config\.toml$/,
      /^dist\/packages\/supabase-local\/bootstrap\/.*\.sql$/,
      /^dist\/sql\/stuck\.sql$/,
      /^dist\/services\/orchestrator\/prompt\/producer\.md$/,
      /^dist\/services\/separation\/thread\.js$/,
      /^dist\/worker\/main\.js$/,
    ]) {
      assert.ok(
        all.some((path) => part.test(path)),
        `${part.source} is missing`,
      );
    }
  });

  test('the compiled command line starts without the repository', async () => {
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
    const help = await runIn(join(folder, 'engine'), process.execPath, ['cli/mashup.js', 'make', '--help']);
    assert.match(help, /Usage: mashup make/);
  });

  test('compiled files name no script that was not compiled', async () => {
    // Paths of scripts go through scriptPath, which knows the extension; the runner of the functions looks for both.
    const allowed = /scriptPath\(|nodePart\(|entry: ['`]|'studio[/']|'index\.js', 'index\.ts'/;
    const faults: string[] = [];
    for (const path of paths('engine').filter((one) => /^dist\/.*\.js$/.test(one))) {
      for (const line of (await read('engine', path)).split('\n')) {
        const isCode = !/^\s*(\*|\/\/|\/\*)/.test(line);
        if (isCode && /['"`][\w./${}-]+\.ts['"`]/.test(line) && !allowed.test(line))
          faults.push(`${path}: ${line.trim()}`);
      }
    }
    assert.deepEqual(
      faults.filter((fault) => !/describe\(/.test(fault)),
      [],
    );
  });
});

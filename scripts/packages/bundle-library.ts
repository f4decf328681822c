/** Bundles `@mashup-engine/client` and `@mashup-engine/react` as ES modules. The engine's shared files are bundled into them. */
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import type { BuildOptions, Plugin } from 'esbuild';
import { ROOT } from './paths.ts';

const COMMON = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  charset: 'utf8',
  legalComments: 'inline',
  logLevel: 'warning',
} as const satisfies BuildOptions;

const EXTERNAL = ['@supabase/supabase-js', '@mashup-engine/client', 'react', 'react/jsx-runtime'];

/** Bundles the client into `folder`, and beside it the handler of the pages of shared mashups. */
export async function bundleClient(folder: string): Promise<void> {
  await build({
    ...COMMON,
    entryPoints: ['index.ts', 'share-pages.ts'].map((entry) => join(ROOT, 'packages/client', entry)),
    outdir: folder,
    external: EXTERNAL,
    // A library is read as well as run: the integrator's bundler minifies it.
    minify: false,
  });
}

/** Bundles the components into `folder`, and beside them the worker that encodes results. */
export async function bundleReact(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await build({
    ...COMMON,
    entryPoints: [join(ROOT, 'packages/react/index.ts')],
    outdir: folder,
    splitting: true,
    chunkNames: '[name]-[hash]',
    external: EXTERNAL,
    plugins: [threadUrls()],
  });
  // One file without further parts: bundlers then accept it whatever format they give to workers.
  await build({
    ...COMMON,
    entryPoints: [join(ROOT, 'packages/react/audio/encode-worker.ts')],
    outdir: folder,
    minify: true,
    external: ['fs', 'path', 'crypto', 'module'],
    plugins: [assetUrls(folder)],
  });
}

/** `new URL('./x.ts', import.meta.url)` is the URL of a compiled file beside the bundle. */
function threadUrls(): Plugin {
  return {
    name: 'thread-urls',
    setup({ onLoad }) {
      onLoad({ filter: /packages[\\/]react[\\/]audio[\\/][\w-]+\.ts$/ }, async ({ path }) => {
        const text = await readFile(path, 'utf8');
        const contents = text.replaceAll(/(new URL\('\.\/[\w-]+)\.ts'(?=, import\.meta\.url\))/g, "$1.js'");
        return { contents, loader: 'ts' };
      });
    },
  };
}

/** `import url from 'file?url'`, an import of Vite, becomes a URL that every bundler knows, of a copy beside the bundle. */
function assetUrls(folder: string): Plugin {
  return {
    name: 'asset-urls',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /\?url$/ }, ({ path, importer }) => ({
        path: createRequire(importer).resolve(path.replace(/\?url$/, '')),
        namespace: 'asset-url',
      }));
      onLoad({ filter: /.*/, namespace: 'asset-url' }, async ({ path }) => {
        await copyFile(path, join(folder, basename(path)));
        return { contents: `export default new URL('./${basename(path)}', import.meta.url).href;` };
      });
    },
  };
}

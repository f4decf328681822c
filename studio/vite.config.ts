/** Bundles the studio into static files for any host, with the example songs beside them. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import tailwindcss from 'tailwindcss';
import { defineConfig } from 'vite';
import type { Plugin } from 'vite';
import theme from './tailwind.ts';

const ROOT = import.meta.dirname;
const EXAMPLES = ['neon-drive.mp3', 'paper-kites.mp3', 'slow-harbor.ogg'].map((name) =>
  join(ROOT, '..', 'examples', name),
);
/** Files of the pages of shared mashups, whose HTML names them. Names without a hash, because that HTML is not built here. */
const SHARE_PAGE = 'share/page';
/** The stack that the development server uses. */
const STACK_URL = process.env.MASHUP_API_URL ?? 'http://127.0.0.1:54321';

/** Adds the example songs to the build, at the paths that the page requests. */
function exampleSongs(): Plugin {
  return {
    name: 'example-songs',
    apply: 'build',
    async generateBundle() {
      for (const path of EXAMPLES) {
        this.emitFile({ type: 'asset', fileName: `examples/${basename(path)}`, source: await readFile(path) });
      }
    },
  };
}

export default defineConfig({
  root: ROOT,
  plugins: [exampleSongs()],
  esbuild: { jsx: 'automatic' },
  css: { postcss: { plugins: [tailwindcss(theme)] } },
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
    rollupOptions: {
      input: { index: join(ROOT, 'index.html'), [SHARE_PAGE]: join(ROOT, 'src', 'share', 'main.tsx') },
      output: {
        entryFileNames: ({ name }) => (name === SHARE_PAGE ? '[name].js' : 'assets/[name]-[hash].js'),
        assetFileNames: ({ names }) =>
          names.includes('page.css') ? `${SHARE_PAGE}[extname]` : 'assets/[name]-[hash][extname]',
      },
    },
  },
  server: {
    proxy: Object.fromEntries(
      ['/studio-config.json', '/examples', '/s/', '/embed/', '/share/'].map((path) => [path, STACK_URL]),
    ),
  },
});

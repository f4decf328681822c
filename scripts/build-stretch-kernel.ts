/**
 * Builds the WebAssembly kernel of time-stretching: npm run kernel:build. It needs Zig 0.17.1, whose C compiler is Clang, on the path of
 * Python: python3 -m pip install ziglang==0.17.1. The result is committed, so that nobody else needs it.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const KERNEL = join(import.meta.dirname, '..', 'audio', 'time', 'kernel');
const SOURCES = ['fft.h', 'stretch.c'];
const ZIG_VERSION = '0.17.1';
const OPTIONS = [
  ...['-target', 'wasm32-freestanding', '-mcpu=generic+simd128+bulk_memory'],
  ...['-O3', '-ffast-math', '-nostdlib', '-Wl,--no-entry', '-Wl,-s', '-Wl,-z,stack-size=65536'],
];

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function zig(...args: string[]): string {
  return execFileSync('python3', ['-m', 'ziglang', ...args], { encoding: 'utf8', cwd: KERNEL });
}

async function build(): Promise<Buffer> {
  const version = zig('version').trim();
  if (version !== ZIG_VERSION) throw new Error(`The kernel is built with Zig ${ZIG_VERSION}, not ${version}.`);
  const folder = await mkdtemp(join(tmpdir(), 'stretch-kernel-'));
  try {
    zig('cc', ...OPTIONS, '-o', join(folder, 'stretch.wasm'), 'stretch.c');
    return await readFile(join(folder, 'stretch.wasm'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const wasm = await build();
const hashes = await Promise.all(
  SOURCES.map(async (name) => `    '${name}': '${sha256(await readFile(join(KERNEL, name)))}',`),
);
const lines = wasm.toString('base64').match(/.{1,120}/g) ?? [];
await writeFile(
  join(KERNEL, 'stretch-wasm.ts'),
  `/** Built by npm run kernel:build from the sources beside it. MIT licence: LICENSE.txt. */

/** SHA-256 of each source, and of the module. */
export const STRETCH_BUILD = {
  sources: {
${hashes.join('\n')}
  },
  wasm: '${sha256(wasm)}',
};

/** The module, ${wasm.length} bytes. */
export const STRETCH_WASM = Buffer.from(
  \`
${lines.join('\n')}
\`,
  'base64',
);
`,
);

/**
 * Builds the WebAssembly kernels of stretching, sample-rate conversion and separation: npm run kernel:build. It needs Zig 0.17.1,
 * whose C compiler is Clang, as a package of Python: python3 -m pip install ziglang==0.17.1. The result is committed, so that nobody
 * else needs it.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const MODULES = [
  { name: 'stretch', folder: 'audio/time/kernel', sources: ['stretch.c', 'fft.h'] },
  { name: 'resample', folder: 'audio/time/kernel', sources: ['resample.c'] },
  { name: 'separation', folder: 'services/separation/kernel', sources: ['separation.c'] },
];
const ZIG_VERSION = '0.17.1';
const OPTIONS = [
  ...['-target', 'wasm32-freestanding', '-mcpu=generic+simd128+bulk_memory'],
  ...[
    '-O3',
    '-ffast-math',
    '-nostdlib',
    '-Wl,--no-entry',
    '-Wl,-s',
    '-Wl,--export=__heap_base',
    '-Wl,-z,stack-size=65536',
  ],
];

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function zig(...args: string[]): string {
  return execFileSync('python3', ['-m', 'ziglang', ...args], { encoding: 'utf8' });
}

async function build({ name, folder, sources }: (typeof MODULES)[number], scratch: string): Promise<void> {
  const file = join(scratch, `${name}.wasm`);
  const place = join(ROOT, folder);
  zig('cc', ...OPTIONS, '-o', file, join(place, sources[0]!));
  const wasm = await readFile(file);
  const hashes = await Promise.all(
    sources.map(async (source) => `    '${source}': '${sha256(await readFile(join(place, source)))}',`),
  );
  const constant = name.toUpperCase();
  const lines = wasm.toString('base64').match(/.{1,120}/g) ?? [];
  const text = `/** Built by npm run kernel:build from the sources beside it. */

/** SHA-256 of each source, and of the module. */
export const ${constant}_BUILD = {
  sources: {
${hashes.join('\n')}
  },
  wasm: '${sha256(wasm)}',
};

/** The module, ${wasm.length} bytes. */
export const ${constant}_WASM = Buffer.from(
  \`
${lines.join('\n')}
\`,
  'base64',
);
`;
  await writeFile(join(place, `${name}-wasm.ts`), text);
}

const version = zig('version').trim();
if (version !== ZIG_VERSION) throw new Error(`The kernels are built with Zig ${ZIG_VERSION}, not ${version}.`);
const scratch = await mkdtemp(join(tmpdir(), 'kernel-'));
try {
  for (const module of MODULES) await build(module, scratch);
} finally {
  await rm(scratch, { recursive: true, force: true });
}

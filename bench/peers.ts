/** Compares the analysis with other libraries if they are installed. They are no dependencies: see `peers-audio/package.json`. */
import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, 'peers-audio');

/** Runs the comparison in a separate process, which prints a table. */
export async function benchPeers(): Promise<void> {
  const installed = await access(join(FOLDER, 'node_modules')).then(
    () => true,
    () => false,
  );
  if (!installed) {
    console.log('\nThe other libraries are not installed: npm install --no-package-lock --prefix bench/peers-audio');
    return;
  }
  const child = spawn(process.execPath, [join(FOLDER, 'compare.mjs')], { stdio: 'inherit' });
  const code = await new Promise<number | null>((resolve) => child.on('exit', resolve));
  if (code !== 0) throw new Error(`The comparison with other libraries failed with exit code ${code}.`);
}

/** The analysis beside its peers, where they are installed; `peers-audio/` says why they are not a part of the project. */
import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, 'peers-audio');

/** Runs the comparison in a process of its own, which prints its table. */
export async function benchPeers(): Promise<void> {
  const installed = await access(join(FOLDER, 'node_modules')).then(
    () => true,
    () => false,
  );
  if (!installed) {
    console.log('\nNo peers to compare with: npm install --no-package-lock --prefix bench/peers-audio');
    return;
  }
  const child = spawn(process.execPath, [join(FOLDER, 'compare.mjs')], { stdio: 'inherit' });
  const code = await new Promise<number | null>((resolve) => child.on('exit', resolve));
  if (code !== 0) throw new Error(`The comparison with peers ended with ${code}.`);
}

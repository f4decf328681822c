/**
 * Builds the published packages: `npm run build:packages [-- name …]`. Each is put together in `dist-packages/<folder>` and
 * packed to a tarball beside it. `npm publish <tarball>` publishes it.
 */
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PACKAGES, ROOT } from './packages/paths.ts';
import type { PackageName } from './packages/paths.ts';
import { stagePackage } from './packages/stage.ts';

const OUT = join(ROOT, 'dist-packages');

const wanted = process.argv.slice(2);
for (const name of Object.keys(PACKAGES) as PackageName[]) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const folder = join(OUT, name.replace('@mashup-engine/', ''));
  await rm(folder, { recursive: true, force: true });
  await stagePackage(name, folder);
  const { stdout } = await promisify(execFile)(
    'npm',
    ['pack', '--ignore-scripts', '--json', '--pack-destination', OUT],
    {
      cwd: folder,
      shell: process.platform === 'win32',
    },
  );
  const [packed] = JSON.parse(stdout) as { filename: string; size: number; unpackedSize: number; entryCount: number }[];
  console.log(
    `${packed?.filename}: ${packed?.entryCount} files, ${packed?.size} bytes, unpacked ${packed?.unpackedSize}`,
  );
}

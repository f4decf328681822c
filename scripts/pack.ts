/**
 * Lifecycle scripts of `npm pack` and `npm publish` in a package's own folder: `node scripts/pack.ts before|after <package>`.
 *
 * `before` builds `dist/` and replaces `package.json` by the published manifest, because npm has no other way to publish other
 * `exports` than those of the repository; `after` puts it back. The engine's manifest is the same in both.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PACKAGES, ROOT } from './packages/paths.ts';
import type { PackageName } from './packages/paths.ts';
import { buildPackage, publishedManifest } from './packages/stage.ts';

const [moment, name] = process.argv.slice(2) as [string, PackageName];
const folder = join(ROOT, PACKAGES[name]);
const manifest = join(folder, 'package.json');
const saved = join(folder, 'package.json.repository');

if (moment === 'after') {
  await rename(saved, manifest).catch(() => {});
} else {
  const text = await readFile(saved, 'utf8').catch(() => readFile(manifest, 'utf8'));
  await buildPackage(name, join(folder, 'dist'));
  if (name !== 'mashup-engine') {
    await writeFile(saved, text);
    const published = publishedManifest(JSON.parse(text) as Record<string, unknown>);
    await writeFile(manifest, `${JSON.stringify(published, null, 2)}\n`);
  } else {
    await rm(saved, { force: true });
  }
}

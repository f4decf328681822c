/** Puts a package together as it is published: compiled files, published manifest, README and licence. */
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleClient, bundleReact } from './bundle-library.ts';
import { compileEngine } from './compile-engine.ts';
import { explicitDeclarations, inferredDeclarations, writeDeclarations } from './declarations.ts';
import { PACKAGES, ROOT } from './paths.ts';
import type { PackageName } from './paths.ts';
import { buildStudio } from './studio.ts';
import { buildStyles } from './styles.ts';

/** Parts of a build that take seconds and may be left out where they are not needed. */
export interface BuildOptions {
  /** Type declarations of the components. */
  declarations?: boolean;
  /** The built studio of the engine. */
  studio?: boolean;
}

/** Builds the compiled files of a package into `folder`, which is replaced. */
export async function buildPackage(name: PackageName, folder: string, options: BuildOptions = {}): Promise<void> {
  const { declarations = true, studio = true } = options;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  switch (name) {
    case '@mashup-engine/client':
      await bundleClient(folder);
      return writeDeclarations(explicitDeclarations(), 'packages/client', ['index.ts', 'share-pages.ts'], folder);
    case '@mashup-engine/react': {
      await bundleReact(folder);
      await buildStyles(join(folder, 'styles.css'));
      const [source, entry] = ['packages/react', 'index.ts'];
      return declarations
        ? writeDeclarations(inferredDeclarations(`${source}/${entry}`), source, [entry], folder)
        : undefined;
    }
    case 'mashup-engine':
      await compileEngine(folder);
      return studio ? buildStudio(join(folder, 'studio', 'dist')) : undefined;
  }
}

/** Returns the manifest as it is published: the members of `publishConfig` replace those of the repository. */
export function publishedManifest(manifest: Record<string, unknown>): Record<string, unknown> {
  const { publishConfig, scripts: _scripts, devDependencies: _devDependencies, ...others } = manifest;
  const { exports, ...publishing } = (publishConfig ?? {}) as Record<string, unknown>;
  return { ...others, ...(exports === undefined ? {} : { exports }), publishConfig: publishing };
}

/** Puts a package together in `folder`, from which `npm pack` makes its tarball. The repository stays as it is. */
export async function stagePackage(name: PackageName, folder: string, options: BuildOptions = {}): Promise<void> {
  const source = join(ROOT, PACKAGES[name]);
  await buildPackage(name, join(folder, 'dist'), options);
  const manifest = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as Record<string, unknown>;
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`);
  for (const file of ['README.md', ...(name === 'mashup-engine' ? ['cli/mashup.js'] : ['NOTICE.md'])]) {
    await cp(join(source, file), join(folder, file)).catch(ignoreMissing);
  }
  await cp(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'));
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** Tarballs of the packages, and projects outside the repository that install them. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { PackageName } from '../../scripts/packages/paths.ts';
import { stagePackage } from '../../scripts/packages/stage.ts';
import type { BuildOptions } from '../../scripts/packages/stage.ts';

/** What `npm pack --json` reports. */
export interface Packed {
  filename: string;
  /** Bytes of the tarball. */
  size: number;
  files: { path: string }[];
}

/** `node_modules/.bin` of the repository is not in the PATH of other projects. */
const OUTSIDE_PATH = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(delimiter);

/** Runs a program in a folder, as outside the repository. @returns what it printed. @throws with its output */
export async function runIn(
  folder: string,
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|NODE_|INIT_CWD|MASHUP_|.*_API_URL$)/.test(name),
  );
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      cwd: folder,
      env: { ...Object.fromEntries(inherited), PATH: OUTSIDE_PATH, ...env },
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')} failed: ${stdout}${stderr}`, { cause: error });
  }
}

/** Returns a folder outside the repository that everybody may enter; it is deleted at the end. */
export async function outsideFolder(t: { after(fn: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mashup-outside-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  // Postgres runs as another user if the tests run as root.
  await promisify(execFile)('chmod', ['755', folder]);
  return folder;
}

/** Puts a package together in `folder`. @returns the report of `npm pack`, which wrote no file */
export async function packReport(name: PackageName, folder: string, options: BuildOptions): Promise<Packed> {
  await mkdir(folder, { recursive: true });
  await stagePackage(name, folder, options);
  return pack(folder, ['--dry-run']);
}

/** Makes the tarball of a package in `folder`. @returns its path */
export async function makeTarball(name: PackageName, folder: string): Promise<string> {
  const staged = join(folder, 'staged', name);
  await mkdir(staged, { recursive: true });
  await stagePackage(name, staged);
  const { filename, size } = await pack(staged, ['--pack-destination', folder]);
  console.log(`${filename}: ${size} bytes`);
  return join(folder, filename);
}

async function pack(folder: string, more: string[]): Promise<Packed> {
  const args = ['pack', '--json', '--ignore-scripts', ...more];
  const { stdout } = await promisify(execFile)('npm', args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 });
  const [packed] = JSON.parse(stdout) as Packed[];
  if (packed === undefined) throw new Error('npm pack has made nothing.');
  return packed;
}

/** Creates a project with these dependencies and installs them. */
export async function installProject(folder: string, dependencies: Record<string, string>): Promise<void> {
  // The registry has the binaries of this version of Rollup for every platform (see docs/reference/dependencies.md).
  const overrides = { rollup: '4.53.3' };
  const manifest = { name: 'outside', version: '1.0.0', private: true, type: 'module', dependencies, overrides };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
  await runIn(folder, 'npm', ['install', '--no-audit', '--no-fund', '--prefer-offline']);
}

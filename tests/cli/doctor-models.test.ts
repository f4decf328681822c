/** What `mashup doctor` finds out about the separator and its models. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import type { Finding } from '../../cli/doctor/finding.ts';
import { checkModels, checkSeparator } from '../../cli/doctor/models.ts';
import { KNOWN_MODELS } from '../../services/separation/models/known.ts';
import { useModel } from '../../services/separation/models/store.ts';
import { createSeparationServer } from '../../services/separation/server.ts';
import { readSeparationSettings } from '../../services/separation/settings.ts';
import { RUNTIME_CODE } from './npm-registry.ts';

const HTDEMUCS = KNOWN_MODELS[0]!;
const PLENTY = 1e11;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doctor-models-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Places a file of the size of htdemucs, of which only the start is written. */
async function placeModel({ start = 'graph', bytes = HTDEMUCS.bytes } = {}): Promise<void> {
  await mkdir(join(folder, HTDEMUCS.name));
  const file = join(folder, HTDEMUCS.name, HTDEMUCS.file);
  await writeFile(file, start);
  await truncate(file, bytes);
}

async function placeRuntime(code = RUNTIME_CODE): Promise<void> {
  const place = join(folder, 'runtime', 'node_modules', 'onnxruntime-node');
  await mkdir(place, { recursive: true });
  await writeFile(join(place, 'package.json'), '{"name":"onnxruntime-node","version":"1.0.0"}');
  await writeFile(join(place, 'index.js'), code);
}

const check = (
  environment: NodeJS.ProcessEnv = {},
  { deep = false, availableBytes = PLENTY } = {},
): Promise<Finding[]> => checkModels(folder, environment, { deep, availableBytes });

/** Expects one fault, with a remedy. */
async function assertFault(findings: Promise<Finding[]>, message: RegExp, hint: RegExp): Promise<void> {
  const [finding, ...others] = await findings;
  assert.deepEqual(others, []);
  assert.equal(finding?.ok, false, finding?.message);
  assert.match(finding.message, message);
  assert.match(finding.hint ?? '', hint);
}

describe('installed models', () => {
  it('are not checked where there are none', async () => {
    assert.deepEqual(await check(), []);
    useModel(folder, 'classical');
    assert.deepEqual(await check(), []);
  });

  it('are in order if the file is complete, the runtime opens it, and memory suffices', async () => {
    await Promise.all([placeModel(), placeRuntime()]);
    const [unused] = await check();
    assert.equal(unused?.ok, true, unused?.message);
    assert.match(
      unused.message,
      /htdemucs is installed, not used: .*right size.*opens it with cpu \(segments of 1\.0 s\)/,
    );
    useModel(folder, 'htdemucs');
    assert.match((await check())[0]?.message ?? '', /htdemucs is used/);
  });

  it('are named with a remedy if one is chosen and gone', async () => {
    useModel(folder, 'htdemucs');
    await assertFault(check(), /htdemucs is not installed/, /mashup models install htdemucs/);
  });

  it('are named if the file is incomplete, or another one', async () => {
    await Promise.all([placeModel({ bytes: 1000 }), placeRuntime()]);
    await assertFault(check(), /has 1000 bytes instead of 174263526/, /install htdemucs/);
    await truncate(join(folder, HTDEMUCS.name, HTDEMUCS.file), HTDEMUCS.bytes);
    await assertFault(check({}, { deep: true }), /has another hash/, /install htdemucs/);
  });

  it('are named if the runtime is missing, cannot be loaded, or cannot read the file', async () => {
    await placeModel({ start: 'other' });
    await assertFault(check(), /ONNX Runtime.*cannot be loaded/, /install runtime/);
    await placeRuntime('throw new Error("built for another system")');
    await assertFault(check(), /ONNX Runtime.*cannot be loaded/, /install runtime/);
    await placeRuntime();
    await assertFault(check(), /file of the separation model cannot be read/, /Install the model again/);
  });

  it('are named if the runtime has no such provider', async () => {
    await Promise.all([placeModel(), placeRuntime()]);
    await assertFault(check({ SEPARATION_PROVIDER: 'cuda' }), /no provider cuda/, /SEPARATION_PROVIDER=cpu/);
  });

  it('are named if memory does not suffice', async () => {
    await Promise.all([placeModel(), placeRuntime()]);
    await assertFault(check({}, { availableBytes: 5e8 }), /needs 1\.6 GB.* 0\.5 GB are free/, /more memory/);
  });

  it('are named if the file of the choice is damaged', async () => {
    await writeFile(join(folder, 'use.json'), '{"use":');
    await assertFault(check(), /damaged/, /mashup models use/);
  });

  it('of SEPARATION_MODEL are opened as well', async () => {
    await placeRuntime();
    const file = join(folder, 'own.onnx');
    await assertFault(check({ SEPARATION_MODEL: file }), /names no model/, /htdemucs/);
    await writeFile(file, 'graph of my own');
    const [finding] = await check({ SEPARATION_MODEL: file });
    assert.equal(finding?.ok, true, finding?.message);
    assert.match(finding.message, /own-[0-9a-f]{8} is used/);
  });
});

describe('the separator of a service', () => {
  const servers: Server[] = [];
  after(() => servers.forEach((server) => server.close()));

  async function listen(server: Server): Promise<string> {
    servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const start = (environment: NodeJS.ProcessEnv): Promise<string> =>
    listen(createSeparationServer(readSeparationSettings(environment)));

  it('is told', async () => {
    const [finding] = await checkSeparator(await start({}));
    assert.equal(finding?.ok, true);
    assert.match(finding.message, /^dsp-4, the classical method/);
    await placeModel();
    useModel(folder, 'htdemucs');
    const [model] = await checkSeparator(await start({ MODELS_DIR: folder }));
    assert.match(model?.message ?? '', /^htdemucs-da9e5101, a separation model/);
  });

  it('is a fault if the model that it is set to is missing', async () => {
    const url = await start({ SEPARATION_MODEL: 'htdemucs' });
    await assertFault(
      checkSeparator(url),
      /htdemucs is not installed\. dsp-4 is used instead/,
      /models install htdemucs/,
    );
  });

  it('is not told by services of others, or where none responds', async () => {
    const other = await listen(createServer((_request, response) => response.end('{"status":"ok"}')));
    assert.deepEqual(await checkSeparator(other), []);
    assert.deepEqual(await checkSeparator('http://127.0.0.1:9'), []);
  });
});

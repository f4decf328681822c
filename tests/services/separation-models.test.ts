/** What the separation service tells of its models. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { HealthResponse } from '../../schema.ts';
import type { SeparationModels } from '../../schema.ts';
import { CLASSICAL_NAME, useModel } from '../../services/separation/models/store.ts';
import { createSeparationServer } from '../../services/separation/server.ts';
import { readSeparationSettings } from '../../services/separation/settings.ts';

const CLASSICAL = 'dsp-4';
const HTDEMUCS = 'htdemucs-da9e5101';

let folder: string;
const closing: (() => void)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'separation-models-'));
});
afterEach(async () => {
  for (const close of closing.splice(0)) close();
  await rm(folder, { recursive: true });
});

/** Starts the service and returns a function that requests its models. */
async function start(environment: NodeJS.ProcessEnv): Promise<() => Promise<SeparationModels | undefined>> {
  const server = createSeparationServer(readSeparationSettings(environment));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  return async () => HealthResponse.parse(await (await fetch(`http://127.0.0.1:${port}/health`)).json()).models;
}

/** Places a file where the model would be. The service opens it with the first separation only. */
async function placeHtdemucs(): Promise<void> {
  await mkdir(join(folder, 'htdemucs'));
  await writeFile(join(folder, 'htdemucs', 'htdemucs.onnx'), '');
}

it('tells the classical method where no model is installed', async () => {
  const models = await start({});
  assert.deepEqual(await models(), { classical: CLASSICAL, neural: null, used: CLASSICAL });
});

it('tells an installed model, and follows the choice while it runs', async () => {
  const models = await start({ MODELS_DIR: folder });
  await placeHtdemucs();
  assert.deepEqual(await models(), { classical: CLASSICAL, neural: HTDEMUCS, used: CLASSICAL });
  useModel(folder, 'htdemucs');
  assert.deepEqual(await models(), { classical: CLASSICAL, neural: HTDEMUCS, used: HTDEMUCS });
  useModel(folder, CLASSICAL_NAME);
  assert.deepEqual(await models(), { classical: CLASSICAL, neural: HTDEMUCS, used: CLASSICAL });
});

it('offers no model if SEPARATION_MODEL is classical', async () => {
  await placeHtdemucs();
  useModel(folder, 'htdemucs');
  const models = await start({ MODELS_DIR: folder, SEPARATION_MODEL: CLASSICAL_NAME });
  assert.deepEqual(await models(), { classical: CLASSICAL, neural: null, used: CLASSICAL });
});

it('names a file of one’s own by its name and hash', async () => {
  const file = join(folder, 'my model.onnx');
  await writeFile(file, 'a graph');
  const models = await start({ SEPARATION_MODEL: file });
  const first = (await models())?.used;
  assert.match(first ?? '', /^my_model-[0-9a-f]{8}$/);
  await writeFile(file, 'another graph');
  assert.notEqual((await models())?.used, first);
});

it('tells that the model of SEPARATION_MODEL is missing, without a path', async () => {
  const models = await start({ MODELS_DIR: folder, SEPARATION_MODEL: join(folder, 'gone.onnx') });
  const { fault, ...names } = (await models())!;
  assert.deepEqual(names, { classical: CLASSICAL, neural: null, used: CLASSICAL });
  assert.equal(fault?.code, 'model_missing');
  assert.ok(!JSON.stringify(fault).includes(folder));
});

it('tells that the file of SEPARATION_MODEL cannot be read, without a path', async () => {
  const file = join(folder, 'folder.onnx');
  await mkdir(file);
  const models = await start({ SEPARATION_MODEL: file });
  const { fault, ...names } = (await models())!;
  assert.deepEqual(names, { classical: CLASSICAL, neural: null, used: CLASSICAL });
  assert.equal(fault?.code, 'model_broken');
  assert.ok(!JSON.stringify(fault).includes(folder));
});

/** `mashup services`, and `mashup worker` with the services that it needs. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import { HealthResponse, SERVICE_DEFAULTS, SERVICES } from '../../schema.ts';
import type { ServiceName } from '../../schema.ts';
import { chooseServices } from '../../cli/services/choose.ts';
import { freePort } from '../../local/ports.ts';
import { useModel } from '../../services/separation/models/store.ts';
import { useDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { mashup } from './cli.ts';

const MAIN = join(import.meta.dirname, '../../cli/main.ts');
const database = await useDatabase({ after });

interface Running {
  child: ChildProcess;
  output: { stdout: string; stderr: string };
  exited: Promise<number | null>;
}

/** Starts a command that runs until it is stopped. */
function start(t: TestContext, args: string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  t.after(() => void child.kill('SIGKILL'));
  return { child, output, exited: once(child, 'exit').then(([code]) => code as number | null) };
}

const isUp = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/health`).then(
    async (response) => ((await response.json()) as { status: string }).status === 'ok',
    () => false,
  );

test('names and ports of services are read, and each mistake is named', () => {
  assert.deepEqual(
    chooseServices([], []).map(({ service, port }) => [service, port]),
    SERVICES.map((service) => [service, SERVICE_DEFAULTS[service].port]),
  );
  assert.deepEqual(chooseServices(['scoring'], ['9002']), [{ service: 'scoring', port: 9002 }]);
  assert.deepEqual(chooseServices(['scoring', 'separation', 'scoring'], ['separation=9004']), [
    { service: 'scoring', port: 8002 },
    { service: 'separation', port: 9004 },
  ]);
  for (const [names, ports, message] of [
    [['demucs'], [], /no service "demucs"/],
    [[], ['9000'], /--port 9000 names no service/],
    [['scoring'], ['analysis=9000'], /not started/],
    [['scoring'], ['scoring=70000'], /not a port/],
    [['scoring'], ['scoring='], /not a port/],
    [['scoring', 'analysis'], ['scoring=8000'], /Two services would listen on port 8000/],
  ] as const) {
    assert.throws(() => chooseServices(names, ports), { code: 'bad_option', message });
  }
});

test('named services run on their ports, are checked by --health, and stop at SIGTERM', async (t) => {
  const [scoring, orchestrator] = [await freePort(), await freePort()];
  const named = ['scoring', 'orchestrator'];
  const ports = ['--port', `scoring=${scoring}`, '--port', `orchestrator=${orchestrator}`];
  const { child, output, exited } = start(t, ['services', ...named, ...ports, '--json']);
  await until('both are ready', () => output.stdout.includes('"ready":true'));
  assert.deepEqual(JSON.parse(output.stdout), {
    type: 'services',
    ready: true,
    urls: { scoring: `http://127.0.0.1:${scoring}`, orchestrator: `http://127.0.0.1:${orchestrator}` },
  });
  assert.ok((await isUp(scoring)) && (await isUp(orchestrator)));
  assert.equal((await mashup(['services', ...named, ...ports, '--health'])).code, 0);

  const taken = await mashup(['services', 'scoring', '--port', String(scoring)]);
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, /port \d+, needed for the scoring service, is in use.*SCORING_API_URL.*--port scoring=/s);

  child.kill('SIGTERM');
  assert.equal(await exited, 0, output.stderr);
  assert.ok(!(await isUp(scoring)) && !(await isUp(orchestrator)));
  const down = await mashup(['services', 'scoring', '--port', String(scoring), '--health']);
  assert.equal(down.code, 1);
  assert.match(down.stderr, /scoring does not respond\. Start it: `mashup services scoring`/);
});

test('the separation service uses the models of the data directory', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'mashup-services-'));
  t.after(() => rm(dataDir, { recursive: true }));
  const model = join(dataDir, 'models', 'htdemucs');
  await mkdir(model, { recursive: true });
  await writeFile(join(model, 'htdemucs.onnx'), '');
  useModel(join(dataDir, 'models'), 'htdemucs');
  const port = await freePort();
  const env = { MODELS_DIR: '', SEPARATION_MODEL: '' };
  const { child, exited } = start(t, ['--data-dir', dataDir, 'services', 'separation', '--port', String(port)], env);
  await until('it responds', () => isUp(port));
  const { models } = HealthResponse.parse(await (await fetch(`http://127.0.0.1:${port}/health`)).json());
  assert.equal(models?.used, 'htdemucs-da9e5101');
  child.kill('SIGTERM');
  await exited;
});

/** The environment of a worker: a database, and a URL for each service but one. */
const workerEnv = (without: ServiceName): NodeJS.ProcessEnv => ({
  DATABASE_URL: database.workerUrl,
  SUPABASE_URL: 'http://127.0.0.1:1',
  SUPABASE_SERVICE_ROLE_KEY: 'key',
  ...Object.fromEntries(
    SERVICES.map((name) => [SERVICE_DEFAULTS[name].urlVariable, name === without ? '' : 'http://127.0.0.1:1']),
  ),
});

test('mashup worker --with-services starts the services without a URL, and stops them after the worker', async (t) => {
  const port = await freePort();
  const args = ['worker', '--with-services', '--port', `scoring=${port}`];
  const { child, output, exited } = start(t, args, workerEnv('scoring'));
  await until('the worker is registered', () => output.stdout.includes('"service":"worker"'));
  assert.ok(await isUp(port));
  const { worker } = JSON.parse(output.stdout) as { worker: string };
  const [row] = await database.sql<{ url: string }[]>`
    select services ->> 'scoring' as url from mashup.workers where id = ${worker}`;
  assert.equal(row?.url, `http://127.0.0.1:${port}`);
  child.kill('SIGTERM');
  assert.equal(await exited, 0, output.stderr);
  assert.equal(await isUp(port), false);
  const [left] = await database.sql`select from mashup.workers where id = ${worker}`;
  assert.equal(left, undefined, 'the worker has deregistered');
});

test('mashup worker --with-services starts nothing if the worker cannot start, and ends if a port is taken', async (t) => {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const env = Object.fromEntries(Object.entries(workerEnv('scoring')).map(([name, value]) => [name, value ?? '']));
  const taken = await mashup(['worker', '--with-services', '--port', `scoring=${port}`], env);
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, /needed for the scoring service, is in use/);
  const unset = await mashup(['worker', '--with-services'], { ...env, SUPABASE_SERVICE_ROLE_KEY: '' });
  assert.equal(unset.code, 1);
  assert.match(unset.stderr, /SUPABASE_SECRET_KEY.*missing/);
  const alone = await mashup(['worker', '--port', 'scoring=9000'], env);
  assert.match(alone.stderr, /--port needs --with-services/);
});

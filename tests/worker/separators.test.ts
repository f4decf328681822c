/** Separations by a service with models: progress, faults, fallbacks, and the studio version. */
import assert from 'node:assert/strict';
import { after, beforeEach, mock, test } from 'node:test';
import { until } from '../support/until.ts';
import { TaskError } from '../../worker/errors.ts';
import { withIdleLimit } from '../../worker/services/idle-timer.ts';
import { CLASSICAL, NEURAL, startModelServer } from './model-server.ts';
import type { Ending, SeparationCall } from './model-server.ts';
import { wavFile } from './wav-file.ts';
import { ownWarnings, useWorkerFixture } from './worker-fixture.ts';
import type { JobRow } from './worker-fixture.ts';

const fixture = await useWorkerFixture({ after });
const { sql } = fixture;
const songs = [await fixture.upload('a.wav', wavFile(120, 1)), await fixture.upload('b.wav', wavFile(120, 2))];
const service = await startModelServer({ after });
const both = service.separate;
const worker = await fixture.startWorker({
  serviceUrls: { ...fixture.services.urls, separation: service.url },
  limits: { modelsIntervalMs: 20 },
});
after(() => worker.stop());

beforeEach(async () => {
  service.models = { classical: CLASSICAL, neural: NEURAL, used: NEURAL };
  service.separate = both;
  service.calls = [];
  await sql`delete from mashup.stems`;
  await untilKnown(NEURAL);
});

async function untilKnown(neural: string | null): Promise<void> {
  await until('the models are known', async () => {
    const [row] = await sql<{ neural: string | null }[]>`select neural from mashup.separation_models`;
    return row !== undefined && row.neural === neural;
  });
}

const methodsOf = ({ result }: JobRow): string[] =>
  Object.values((result?.['separation'] ?? {}) as Record<string, { method: string }>).map(({ method }) => method);

/** Holds the separations of a method back until it is called. */
function hold(method: string): (ending?: Ending) => void {
  const { promise, resolve } = Promise.withResolvers<Ending | undefined>();
  service.separate = async (call) => (call.request.method === method ? await promise : undefined) ?? both(call);
  return resolve;
}

const untilCalled = async (method: string): Promise<SeparationCall> => {
  await until(`${method} is asked for`, () => service.calls.some(({ request }) => request.method === method));
  return service.calls.find(({ request }) => request.method === method)!;
};

test('progress of a separation reaches the row, with the song and the segment', async () => {
  const release = hold('auto');
  const id = await fixture.submit(songs);
  const call = await untilCalled('auto');
  call.send({ progress: 0.5, message: 'Segment 7 of 14' });
  const shown = await fixture.untilJob(id, 'shows it', ({ current_step: step }) => step.endsWith(': segment 7 of 14'));
  assert.match(shown.current_step, /^Separating Song \d: segment 7 of 14$/);
  assert.ok(shown.progress > 75 && shown.progress < 80, `${shown.progress}`);
  release();
  const job = await fixture.untilEnded(id);
  assert.equal(job.stage, 'complete', job.error_message ?? '');
  assert.deepEqual(methodsOf(job), ['neural', 'neural']);
});

test('a model that is asked for and not there fails the job, with its hint and without another attempt', async () => {
  const [code, hint] = ['model_missing', 'Run `npx mashup models install htdemucs`.'];
  service.separate = () => ({ error: 'No separation model is chosen.', code, hint, status: 400 });
  const id = await fixture.submit(songs, { separation: 'neural' });
  const job = await fixture.untilEnded(id);
  assert.equal(job.error_code, code);
  assert.equal(job.error_hint, hint);
  assert.equal((await sql`select from mashup_job_events where job_id = ${id} and type = 'retry'`).length, 0);
  assert.ok(service.calls.every(({ request }) => request.method === 'neural'));
});

test('a model that lacks memory is asked again, and the circuit of its service stays closed', async () => {
  const hint = 'Give the service more memory.';
  service.separate = () => ({ error: 'It needs 1.6 GB.', code: 'model_memory', hint, status: 503 });
  const id = await fixture.submit(songs, { separation: 'neural' });
  const job = await fixture.untilEnded(id);
  assert.equal(job.error_code, 'model_memory');
  assert.equal(job.error_hint, hint);
  assert.ok((await sql`select from mashup_job_events where job_id = ${id} and type = 'retry'`).length >= 3);
  const [health] = await sql<{ failures: number }[]>`
    select failures from mashup.service_health where service = 'separation'`;
  assert.equal(health?.failures, 0);
});

test('the classical method instead of the model is accepted with a warning, and the song is not separated again', async () => {
  const warning = 'The model lacks memory. The classical separation was used instead.';
  service.separate = () => ({ model: CLASSICAL, warnings: [warning] });
  const job = await fixture.untilEnded(await fixture.submit(songs));
  assert.equal(job.stage, 'complete', job.error_message ?? '');
  assert.equal(service.calls.length, 2);
  assert.deepEqual(methodsOf(job), ['classical', 'classical']);
  assert.deepEqual(
    ownWarnings(job).map(({ code, message }) => ({ code, message })),
    [{ code: 'separation_replaced', message: warning }],
  );
});

test('a cancelled job closes its connections to the service', async () => {
  const release = hold('auto');
  const id = await fixture.submit(songs);
  const call = await untilCalled('auto');
  await fixture.user.rpc('cancel_mashup', { job_id: id });
  await call.closed;
  release();
});

test('the studio version replaces the result of a complete job', async () => {
  const release = hold('neural');
  const id = await fixture.submit(songs, { studio_version: true });
  const first = await fixture.untilEnded(id);
  assert.equal(first.stage, 'complete', first.error_message ?? '');
  assert.deepEqual(methodsOf(first), ['classical', 'classical']);
  const call = await untilCalled('neural');
  const version = async (): Promise<{ state?: string; step?: string }> => {
    const [row] = await sql<
      { studio_version: object | null }[]
    >`select studio_version from mashup_jobs where id = ${id}`;
    return row?.studio_version ?? {};
  };
  call.send({ progress: 0.5, message: 'Segment 7 of 14' });
  await until('the row shows it', async () => (await version()).step?.endsWith(': segment 7 of 14') === true);
  assert.equal((await fixture.job(id)).result_path, first.result_path);
  release();
  await until('the version is ready', async () => (await version()).state === 'ready');
  const job = await fixture.job(id);
  assert.equal(job.stage, 'complete');
  assert.notEqual(job.result_path, first.result_path);
  assert.deepEqual(methodsOf(job), ['neural', 'neural']);
  for (const path of [first.result_path!, job.result_path!])
    assert.equal((await fixture.bucket.download(path)).error, null);
});

test('a service that does not name its models any more is used as before', async () => {
  service.models = undefined;
  await until('nothing is known', async () => (await sql`select from mashup.separation_models`).length === 0);
  service.separate = () => ({ model: 'another' });
  const job = await fixture.untilEnded(await fixture.submit(songs));
  assert.deepEqual(methodsOf(job), ['service', 'service']);
});

test('the limit of a silence begins again with each event', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const signal = new AbortController().signal;
  const call = withIdleLimit('separation', 1_000, signal, (either, onEvent) => {
    for (let event = 0; event < 5; event++) {
      mock.timers.tick(900);
      assert.equal(either.aborted, false);
      onEvent();
    }
    mock.timers.tick(1_001);
    return Promise.reject(either.reason as Error);
  });
  await assert.rejects(call, (error) => error instanceof TaskError && error.code === 'service_timeout');
});

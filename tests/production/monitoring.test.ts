/** What a running worker and a service show to operators: health, metrics, log lines and traces. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createScoringServer } from '../../services/scoring/server.ts';
import { until } from '../support/until.ts';
import { wavFile } from '../worker/wav-file.ts';
import { useWorkerFixture } from '../worker/worker-fixture.ts';
import { metricsInUse } from './dashboard.ts';
import { parseExposition, valueOf } from './exposition.ts';
import type { Sample } from './exposition.ts';
import { registerSdk, spansOf } from './spans.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER_SPAN = '00f067aa0ba902b7';
const LOOPBACK = '127.0.0.1';

registerSdk();
const fixture = await useWorkerFixture({ after });
const { sql, services } = fixture;
const scoring = createScoringServer().listen(0, LOOPBACK);
await once(scoring, 'listening');
const scoringUrl = `http://${LOOPBACK}:${(scoring.address() as AddressInfo).port}`;
after(() => void scoring.close());
const worker = await fixture.startWorker({
  monitoring: { host: LOOPBACK, port: 0 },
  serviceUrls: { ...services.urls, scoring: scoringUrl },
});
const songs = [await fixture.upload('a.wav', wavFile(120, 1)), await fixture.upload('b.wav', wavFile(120, 2))];
const jobId = await fixture.submit(songs, {}, { traceparent: `00-${TRACE_ID}-${CALLER_SPAN}-01` });
const job = await fixture.untilEnded(jobId);

async function get(path: string, base = worker.monitoringUrl): Promise<{ status: number; text: string }> {
  const response = await fetch(`${base}${path}`);
  return { status: response.status, text: await response.text() };
}

async function collect(): Promise<Sample[]> {
  const { status, text } = await get('/metrics');
  assert.equal(status, 200);
  return parseExposition(text);
}

async function untilMetric(name: string, labels: Record<string, string>, wanted: number): Promise<void> {
  let found: number | undefined;
  await until(
    () => `${name} ${JSON.stringify(labels)} is ${wanted}; it is ${found}`,
    async () => (found = valueOf(await collect(), name, labels)) === wanted,
  );
}

test('a job runs through, with the port for monitoring open', () => {
  assert.equal(job.stage, 'complete', job.error_message ?? '');
});

test('the metrics count the tasks, waits, calls and ends of the job', async () => {
  await untilMetric('mashup_jobs_ended_total', { result: 'complete' }, 1);
  const samples = await collect();
  for (const [kind, count] of Object.entries({ analyze: 2, score: 1, plan: 1, separate: 2, render: 1 })) {
    assert.equal(valueOf(samples, 'mashup_task_duration_seconds_count', { kind, result: 'finished' }), count, kind);
    assert.equal(valueOf(samples, 'mashup_task_wait_seconds_count', { kind }), count, kind);
  }
  assert.equal(valueOf(samples, 'mashup_service_call_seconds_count', { service: 'analysis', result: 'ok' }), 2);
  assert.equal(valueOf(samples, 'mashup_worker_running_tasks'), 0);
  assert.ok((valueOf(samples, 'mashup_storage_bytes_total', { what: 'upload_read' }) ?? 0) > 1_000_000);
  assert.ok((valueOf(samples, 'mashup_storage_bytes_total', { what: 'result_written' }) ?? 0) > 1_000);
  assert.equal(valueOf(samples, 'mashup_jobs_ended_last_hour', { result: 'complete' }), 1);
  assert.equal(valueOf(samples, 'mashup_circuit_state', { state: 'closed' }), 6);
  assert.equal(valueOf(samples, 'mashup_stuck_jobs'), 0);
  assert.ok((valueOf(samples, 'mashup_storage_stored_bytes', { folder: 'uploads' }) ?? 0) > 1_000_000);
  assert.equal(valueOf(samples, 'mashup_worker_ready'), 4);
  assert.ok(valueOf(samples, 'nodejs_eventloop_lag_seconds') !== undefined);
  assert.ok((valueOf(samples, 'process_resident_memory_bytes') ?? 0) > 1_000_000);
});

test('every metric of the dashboard and of the alerts is shown', async () => {
  const { text } = await get('/metrics');
  const shown = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name));
  assert.deepEqual(
    [...(await metricsInUse())].filter((name) => !shown.has(name)),
    [],
  );
});

test('the trace of the submission has the claim, the service calls, Storage and the finish of each task', () => {
  const spans = spansOf(TRACE_ID);
  const tasks = spans.filter(({ name }) => name.startsWith('task '));
  assert.deepEqual(tasks.map(({ name }) => name).sort(), [
    'task analyze',
    'task analyze',
    'task plan',
    'task render',
    'task score',
    'task separate',
    'task separate',
  ]);
  for (const task of tasks) {
    assert.equal(task.parentSpanContext?.spanId, CALLER_SPAN, task.name);
    assert.equal(task.attributes['mashup.job'], jobId);
    assert.equal(task.attributes['mashup.result'], 'finished');
    const children = spans.filter(({ parentSpanContext: parent }) => parent?.spanId === task.spanContext().spanId);
    const names = children.map(({ name }) => name);
    assert.ok(names.includes('claim') && names.includes('finish'), `${task.name}: ${names.join()}`);
    if (task.name !== 'task score' && task.name !== 'task plan') assert.ok(names.includes('call storage'), task.name);
    assert.ok(
      names.some((name) => /^call (analysis|separation|scoring|orchestrator|processing)$/.test(name)),
      `${task.name}: ${names.join()}`,
    );
  }
});

test('a built-in service continues the trace of the call', () => {
  const spans = spansOf(TRACE_ID);
  const served = spans.find(({ name }) => name === 'POST /calculate-mashability');
  const call = spans.find(({ name }) => name === 'call scoring');
  assert.equal(served?.parentSpanContext?.spanId, call?.spanContext().spanId);
  assert.equal(served?.attributes['mashup.job'], jobId);
  assert.equal(served?.attributes['http.response.status_code'], 200);
});

test('calls to other services carry the trace and the ids of the task', () => {
  const call = services.calls.find(({ service }) => service === 'processing');
  assert.match(String(call?.headers['traceparent']), new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-01$`));
  assert.match(
    String(call?.headers['baggage']),
    new RegExp(`mashup\\.job=${jobId},mashup\\.task=\\d+,mashup\\.claim=[0-9a-f-]{36}`),
  );
});

test('log lines are JSON with the ids of job, task, claim and trace', () => {
  const line = fixture.log
    .map((text) => JSON.parse(text) as Record<string, unknown>)
    .find(({ message }) => message === 'render finished');
  assert.ok(line);
  assert.equal(line['level'], 'info');
  assert.equal(line['service'], 'worker');
  assert.equal(line['job'], jobId);
  assert.equal(line['trace_id'], TRACE_ID);
  for (const id of ['task', 'claim', 'span_id']) assert.match(String(line[id]), /^[0-9a-f-]+$/, id);
});

test('a submission without the header gets a trace of its own', async () => {
  const [first] = await sql<{ traceparent: string }[]>`select traceparent from mashup_jobs where id = ${jobId}`;
  assert.equal(first?.traceparent, `00-${TRACE_ID}-${CALLER_SPAN}-01`);
  const id = await fixture.submit(
    songs,
    {},
    { traceparent: '00-00000000000000000000000000000000-0000000000000000-01' },
  );
  const [second] = await sql<{ traceparent: string }[]>`select traceparent from mashup_jobs where id = ${id}`;
  assert.match(second?.traceparent ?? '', /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/);
  await fixture.untilEnded(id);
});

test('a worker is alive and ready while its parts work', async () => {
  assert.deepEqual(await get('/healthz'), { status: 200, text: '{"status":"ok"}\n' });
  const { status, text } = await get('/readyz');
  assert.equal(status, 200, text);
  assert.deepEqual((JSON.parse(text) as { checks: unknown }).checks, {
    running: 'ok',
    database: 'ok',
    queue: 'ok',
    storage: 'ok',
  });
  assert.equal((await get('/other')).status, 404);
  assert.equal((await fetch(`${worker.monitoringUrl}/healthz`, { method: 'POST' })).status, 405);
});

test('a worker is not ready while the circuit of Storage is open, and the metrics name it', async () => {
  await sql`
    update mashup.service_health set state = 'open', opened_at = now(), retry_at = now() + interval '1 hour' where service = 'storage'`;
  await untilMetric('mashup_circuit_state', { service: 'storage', state: 'open' }, 1);
  const { status, text } = await get('/readyz');
  assert.equal(status, 503);
  assert.match(text, /the circuit breaker is open/);
  assert.equal((await get('/healthz')).status, 200);
  await sql`update mashup.service_health set state = 'closed', opened_at = null, retry_at = null where service = 'storage'`;
  await until('the worker is ready', async () => (await get('/readyz')).status === 200);
});

test('the claim of a recovered task is measured from the last sign of life of the lost worker', async () => {
  await sql`select mashup.pause('kind', 'score', 'test')`;
  const id = await fixture.submit(songs);
  await until('the job waits', async () => (await fixture.job(id)).waiting_on === 'pause');
  await sql`update mashup.tasks set lost_at = now() - interval '3 seconds' where job_id = ${id} and kind = 'score'`;
  await sql`select mashup.resume('kind', 'score')`;
  await fixture.untilEnded(id);
  const samples = await collect();
  assert.equal(valueOf(samples, 'mashup_task_recovery_seconds_count', { kind: 'score' }), 1);
  assert.ok((valueOf(samples, 'mashup_task_recovery_seconds_sum', { kind: 'score' }) ?? 0) >= 3);
});

test('a worker that waits for its database is alive and says that it is not ready', async () => {
  const free = createServer().listen(0, LOOPBACK);
  await once(free, 'listening');
  const { port } = free.address() as AddressInfo;
  free.close();
  const child = fixture.spawnWorkerWith({
    DATABASE_URL: 'postgres://mashup_worker:x@127.0.0.1:1/postgres',
    WORKER_HTTP_PORT: String(port),
  });
  const base = `http://${LOOPBACK}:${port}`;
  await until('the port is open', () =>
    get('/healthz', base).then(
      () => true,
      () => false,
    ),
  );
  assert.equal((await get('/healthz', base)).status, 200);
  const { status, text } = await get('/readyz', base);
  assert.equal(status, 503);
  assert.match(text, /waits for the database/);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
});

test('a service logs each request with its trace and the ids of the caller, except requests for health', async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../services/scoring/main.ts')], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const [ready] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const base = `http://${LOOPBACK}:${(JSON.parse(ready) as { port: number }).port}`;
  await get('/healthz', base);
  const headers = { traceparent: `00-${TRACE_ID}-${CALLER_SPAN}-01`, baggage: `mashup.job=${jobId},mashup.task=7` };
  const refused = await fetch(`${base}/calculate-mashability?key=SECRET`, { method: 'POST', headers, body: '{' });
  assert.equal(refused.status, 422);
  await until('the request is logged', () => log.includes('\n'));
  const { seconds, time, ...line } = JSON.parse(log) as Record<string, unknown>;
  assert.ok(Number(seconds) >= 0 && time !== undefined);
  assert.deepEqual(line, {
    level: 'warn',
    service: 'scoring',
    trace_id: TRACE_ID,
    span_id: CALLER_SPAN,
    job: jobId,
    task: '7',
    method: 'POST',
    path: '/calculate-mashability',
    status: 422,
    message: 'request',
  });
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
});

test('a service shows its health, and so does a stopped worker by its closed port', async () => {
  for (const path of ['/health', '/healthz', '/readyz']) assert.equal((await get(path, scoringUrl)).status, 200, path);
  await worker.stop();
  await assert.rejects(get('/healthz'));
});

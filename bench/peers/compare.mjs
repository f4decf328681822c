/**
 * Compares engines on one Postgres in one run: five sequential steps per job; jobs per second, and the time from one step to the
 * next.
 *
 *   npm ci --prefix bench/peers && npm run bench --prefix bench/peers [-- --json FILE] [--absurd-sql FILE]
 *
 * Each engine is configured for latency as its documentation describes: Graphile Worker in library mode with its defaults; pg-boss
 * with one queue per step, LISTEN/NOTIFY, batches and bursts; DBOS with a workflow of five steps on a queue; Absurd with a task of
 * five steps and the defaults of its worker. `--absurd-sql` names the file `sql/absurd.sql` of Absurd's repository at the version of
 * the SDK, which the npm package does not contain. Steps are empty. This engine runs its own pipeline (seven tasks in five stages)
 * with handlers that return at once.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { DBOS } from '@dbos-inc/dbos-sdk';
import { Absurd } from 'absurd-sdk';
import { Logger, run } from 'graphile-worker';
import { PgBoss } from 'pg-boss';
import { measureHandoff, measureThroughput, openLimits, uploaders } from '../handoff.ts';
import { percentile, printTable } from '../table.ts';
import { startBenchFixture } from '../bench-fixture.ts';

const STEPS = 5;
const JOBS = Number(process.env.BENCH_JOBS ?? 60);
const PER_SEC = Number(process.env.BENCH_PER_SEC ?? 5);
const CONCURRENCY = 10;

/** Counts ended jobs and records the time from the end of a step to the start of the next. */
function watch() {
  const endedAt = new Map();
  let gaps = [];
  let left = 0;
  let done = () => {};
  return {
    expect(jobs) {
      gaps = [];
      left = jobs;
      return new Promise((resolve) => (done = resolve));
    },
    begin: (job) => endedAt.has(job) && gaps.push(performance.now() - endedAt.get(job)),
    end: (job) => void endedAt.set(job, performance.now()),
    complete: () => void (--left === 0 && done()),
    gaps: () => gaps,
  };
}

/** Measures throughput with all jobs submitted at once, then hand-off at a constant rate. `submit(job)` starts a job. */
async function measure(watcher, submit) {
  let next = 0;
  const warm = watcher.expect(CONCURRENCY);
  for (let n = 0; n < CONCURRENCY; n++) await submit(`job-${next++}`);
  await warm;
  const all = watcher.expect(JOBS);
  const start = performance.now();
  await Promise.all(Array.from({ length: JOBS }, () => submit(`job-${next++}`)));
  await all;
  const jobs_per_sec = JOBS / ((performance.now() - start) / 1000);
  const paced = watcher.expect(JOBS);
  const begun = performance.now();
  for (let n = 0; n < JOBS; n++) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, begun + (n * 1000) / PER_SEC - performance.now())));
    await submit(`job-${next++}`);
  }
  await paced;
  return { jobs_per_sec, p50_ms: percentile(watcher.gaps(), 0.5), p99_ms: percentile(watcher.gaps(), 0.99) };
}

async function benchGraphile(url) {
  const watcher = watch();
  const step = async ({ job, left }, { addJob }) => {
    watcher.begin(job);
    watcher.end(job);
    if (left > 1) await addJob('step', { job, left: left - 1 });
    else watcher.complete();
  };
  const runner = await run({
    connectionString: url,
    concurrency: CONCURRENCY,
    noHandleSignals: true,
    taskList: { step },
    logger: new Logger(() => () => {}),
  });
  const result = await measure(watcher, (job) => runner.addJob('step', { job, left: STEPS }));
  await runner.stop();
  return result;
}

async function benchBoss(url) {
  const watcher = watch();
  const boss = new PgBoss({ connectionString: url, useListenNotify: true });
  boss.on('error', () => {});
  await boss.start();
  const queue = (n) => `step-${n}`;
  for (let n = 0; n < STEPS; n++) {
    await boss.createQueue(queue(n), { notify: true });
    // Several jobs per fetch, without a pause while fetches are full.
    const options = {
      batchSize: CONCURRENCY,
      burstWhenBatchFull: true,
      pollingIntervalSeconds: 0.5,
      notifyPollingIntervalSeconds: 0.5,
    };
    await boss.work(queue(n), options, (batch) =>
      Promise.all(
        batch.map(async ({ data }) => {
          watcher.begin(data.job);
          watcher.end(data.job);
          if (n + 1 < STEPS) await boss.send(queue(n + 1), data);
          else watcher.complete();
        }),
      ),
    );
  }
  const result = await measure(watcher, (job) => boss.send(queue(0), { job }));
  await boss.stop({ graceful: true });
  return result;
}

async function benchDbos(url) {
  const watcher = watch();
  DBOS.setConfig({ name: 'bench', applicationVersion: '0.1.0', systemDatabaseUrl: url, logLevel: 'error' });
  const workflow = DBOS.registerWorkflow(
    async (job) => {
      for (let n = 0; n < STEPS; n++) {
        await DBOS.runStep(
          async () => {
            watcher.begin(job);
            watcher.end(job);
          },
          { name: `step-${n}` },
        );
      }
      watcher.complete();
    },
    { name: 'job' },
  );
  await DBOS.launch();
  await DBOS.registerQueue('bench', { workerConcurrency: CONCURRENCY });
  const result = await measure(watcher, (job) => DBOS.startWorkflow(workflow, { queueName: 'bench' })(job));
  await DBOS.shutdown();
  return result;
}

async function benchAbsurd(fixture, schemaFile) {
  const watcher = watch();
  await fixture.sql.unsafe(await readFile(schemaFile, 'utf8'));
  const app = new Absurd({ db: fixture.url, queueName: 'bench' });
  await app.createQueue('bench');
  app.registerTask({ name: 'job' }, async ({ job }, context) => {
    for (let n = 0; n < STEPS; n++) {
      await context.step(`step-${n}`, async () => {
        watcher.begin(job);
        watcher.end(job);
        return {};
      });
    }
    watcher.complete();
    return {};
  });
  const worker = await app.startWorker({ concurrency: CONCURRENCY });
  const result = await measure(watcher, (job) => app.spawn('job', { job }));
  await worker.close();
  await app.close();
  return result;
}

async function benchOurs(fixture) {
  await openLimits(fixture);
  await fixture.startWorker(CONCURRENCY, 'empty');
  await measureThroughput(fixture, await uploaders(fixture, CONCURRENCY, 'rows'));
  const jobs_per_sec = await measureThroughput(fixture, await uploaders(fixture, JOBS, 'rows'));
  const { p50_ms, p99_ms } = await measureHandoff(fixture, await uploaders(fixture, JOBS, 'rows'), PER_SEC);
  await fixture.stopWorkers();
  return { jobs_per_sec, p50_ms, p99_ms };
}

const { values } = parseArgs({ options: { json: { type: 'string' }, 'absurd-sql': { type: 'string' } } });
const absurdSchema = values['absurd-sql'];
const fixture = await startBenchFixture();
try {
  const results = {};
  const engines = {
    'Graphile Worker': () => benchGraphile(fixture.url),
    'pg-boss': () => benchBoss(fixture.url),
    'DBOS Transact': () => benchDbos(fixture.url),
    ...(absurdSchema ? { Absurd: () => benchAbsurd(fixture, absurdSchema) } : {}),
    'mashup-engine': () => benchOurs(fixture),
  };
  for (const [engine, bench] of Object.entries(engines)) {
    console.log(`measuring ${engine}`);
    results[engine] = await bench();
  }
  printTable(
    `${JOBS} jobs of ${STEPS} steps, concurrency ${CONCURRENCY}; hand-off at ${PER_SEC} jobs/s`,
    Object.entries(results).map(([engine, result]) => ({ engine, ...result })),
  );
  const machine = {
    node: process.version,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    date: new Date().toISOString(),
  };
  if (values.json) await writeFile(values.json, `${JSON.stringify({ machine, results }, null, 2)}\n`);
} finally {
  await fixture.close();
}
process.exit(0);

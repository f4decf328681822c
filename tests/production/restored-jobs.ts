/** Jobs in every state at the moment of a backup, and the check that a restored database continues them. */
import assert from 'node:assert/strict';
import postgres from 'postgres';
import { until } from '../support/until.ts';
import { wavFile } from '../worker/wav-file.ts';
import type { WorkerFixture } from '../worker/worker-fixture.ts';
import type { WorkerProcess } from '../worker/worker-process.ts';

/** Jobs by their state at the moment of the backup. */
export interface BackedUpJobs {
  complete: string;
  /** Its plan task runs on the worker. */
  running: string;
  /** It waits for a slot. */
  waiting: string;
  worker: WorkerProcess;
}

/** Makes one job complete, one that runs and one that waits, with a worker process that holds a task. */
export async function prepareJobs(fixture: WorkerFixture): Promise<BackedUpJobs> {
  const { services, sql } = fixture;
  await sql`update mashup.settings set value = '1' where name = 'max_running_jobs'`;
  // A server that was just started would not believe yet that the worker is lost.
  await sql`update mashup.settings set value = '0' where name = 'restart_grace_sec'`;
  const worker = await fixture.spawnWorker();
  const songs = [await fixture.upload('a.wav', wavFile(120, 1)), await fixture.upload('b.wav', wavFile(120, 2))];
  const complete = await fixture.submit(songs);
  assert.equal((await fixture.untilEnded(complete)).stage, 'complete');
  services.always('orchestrator', 'hang');
  const running = await fixture.submit(songs);
  await until('the plan is requested', async () => {
    const tasks = await sql`select from mashup.tasks where job_id = ${running} and kind = 'plan' and state = 'running'`;
    return tasks.length === 1;
  });
  const waiting = await fixture.submit(songs);
  await fixture.untilJob(waiting, 'waits for a slot', (job) => job.waiting_on === 'slot');
  return { complete, running, waiting, worker };
}

/**
 * Starts a worker on the restored database and waits until the live jobs are complete.
 * @param urls of the restored database: for the worker, and for role `postgres`
 */
export async function assertJobsContinue(
  fixture: WorkerFixture,
  jobs: BackedUpJobs,
  urls: { workerUrl: string; url: string },
): Promise<void> {
  const before = await fixture.job(jobs.complete).catch(() => undefined);
  fixture.services.always('orchestrator', undefined);
  const sql = postgres(urls.url, { max: 2, onnotice: () => {} });
  try {
    const worker = await fixture.startWorker({ databaseUrl: urls.workerUrl });
    let found: { id: string; stage: string; result_path: string | null }[] = [];
    await until(
      () => `the restored jobs are complete: ${JSON.stringify(found)}; ${fixture.log.slice(-6).join('\n')}`,
      async () => {
        found = await sql`
          select id, stage, result_path from public.mashup_jobs
          where id = any (${[jobs.complete, jobs.running, jobs.waiting]}::uuid[])`;
        return found.length === 3 && found.every(({ stage }) => stage === 'complete');
      },
      60_000,
    );
    if (before !== undefined)
      assert.equal(
        found.find(({ id }) => id === jobs.complete)?.result_path,
        before.result_path,
        'an ended job is kept',
      );
    const failed = await sql`select from mashup.tasks where state = 'failed' or failures > 0`;
    assert.equal(failed.length, 0, 'no attempt is lost');
    await worker.stop();
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Returns a connection URL with another database, or another port. */
export function changeUrl(text: string, { database, port }: { database?: string; port?: number }): string {
  const url = new URL(text);
  if (database !== undefined) url.pathname = `/${database}`;
  if (port !== undefined) url.port = String(port);
  return url.href;
}

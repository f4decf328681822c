/** Graphile Worker alone, with as many empty tasks for each job as a mashup has. Each task adds the next. */
import { Logger, run, type Runner, type Task } from 'graphile-worker';
import { percentile } from './table.ts';

/** Two `analyze`, two `separate`, and `score`, `plan`, `render`. */
export const TASKS_PER_JOB = 7;

interface Step {
  left: number;
  /** When the task was added, in ms of the monotonic clock. */
  addedAt: number;
}

/** Starts a runner for jobs of empty tasks. `onStep` gets the time from the addition of each task to its start, in ms. */
async function startBare(
  url: string,
  jobs: number,
  concurrency: number,
  onStep: (ms: number) => void,
): Promise<{ runner: Runner; all: Promise<void> }> {
  const { promise: all, resolve: done } = Promise.withResolvers<void>();
  let ended = 0;
  const step: Task = async (payload, helpers) => {
    const { left, addedAt } = payload as Step;
    onStep(performance.now() - addedAt);
    if (left > 1) await helpers.addJob('bare_step', { left: left - 1, addedAt: performance.now() });
    else if (++ended === jobs) done();
  };
  const runner = await run({
    connectionString: url,
    concurrency,
    noHandleSignals: true,
    taskList: { bare_step: step },
    logger: new Logger(() => () => {}),
  });
  return { runner, all };
}

/** Jobs per second of Graphile Worker alone, all jobs added at once. */
export async function measureBare(url: string, jobs: number, concurrency: number): Promise<number> {
  const { runner, all } = await startBare(url, jobs, concurrency, () => {});
  const start = performance.now();
  const first = (): Step => ({ left: TASKS_PER_JOB, addedAt: performance.now() });
  await Promise.all(Array.from({ length: jobs }, () => runner.addJob('bare_step', first())));
  await all;
  const seconds = (performance.now() - start) / 1000;
  await runner.stop();
  return jobs / seconds;
}

/** Median time from the addition of a task to its start, in ms, with `perSec` jobs started a second. */
export async function measureBareHandoff(url: string, perSec: number): Promise<number> {
  const jobs = 60;
  const sample: number[] = [];
  const { runner, all } = await startBare(url, jobs, 10, (ms) => sample.push(ms));
  for (let n = 0; n < jobs; n++) {
    await runner.addJob('bare_step', { left: TASKS_PER_JOB, addedAt: performance.now() });
    await new Promise((resolve) => setTimeout(resolve, 1000 / perSec));
  }
  await all;
  await runner.stop();
  return percentile(sample, 0.5);
}

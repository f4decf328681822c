/** Compares a model with a picture of the database, after letting happen what happens by itself. */
import { admit, isLive, isTerminal, type Model, type ModelJob, SERVICE_OF } from './model.ts';
import type { Picture, PictureJob, PictureTask } from './model-fixture.ts';

/**
 * Gives slots where the database gave them, then compares jobs, live tasks and circuits.
 * @param before the picture that the model agreed with last
 * @returns what differs; empty when they agree
 */
export function settle(model: Model, picture: Picture, before: Picture): string[] {
  const differences = [...releasedInVain(picture, before), ...fallen(picture, before)];
  const seen = new Map(picture.jobs.map((job) => [job.id, job]));
  for (const job of Object.values(model.jobs)) {
    const row = seen.get(job.id);
    if (!row) {
      differences.push(`job ${job.id} is gone`);
      continue;
    }
    if (row.admitted && !job.admitted && !isTerminal(job.stage) && !(job.hold && job.stage === 'planning'))
      admit(model, job);
    differences.push(
      ...compareJob(job, row),
      ...compareTasks(
        job,
        picture.tasks.filter((task) => task.job === job.id),
      ),
    );
  }
  if (seen.size !== Object.keys(model.jobs).length)
    differences.push(`${seen.size} jobs instead of ${Object.keys(model.jobs).length}`);
  for (const [service, circuit] of Object.entries(model.circuits)) {
    const row = picture.health[service as keyof Picture['health']];
    if (row.open !== circuit.open || row.failures !== circuit.failures) {
      differences.push(`circuit of ${service} is ${JSON.stringify(row)} instead of ${JSON.stringify(circuit)}`);
    }
  }
  return differences;
}

function compareJob(job: ModelJob, row: PictureJob): string[] {
  const words = (one: {
    stage: string;
    epoch: number;
    admitted: boolean;
    hold: boolean;
    plan?: string[] | null;
  }): string =>
    `${one.stage}, epoch ${one.epoch}, ${one.admitted ? 'with' : 'without'} a slot, ${one.hold ? 'draft' : 'no draft'}, plan ${one.plan?.join('+') ?? 'none'}`;
  return words(job) === words(row) ? [] : [`job ${job.id} is ${words(row)} instead of ${words(job)}`];
}

function compareTasks(job: ModelJob, rows: PictureTask[]): string[] {
  for (const task of job.tasks) {
    task.isReady = rows.some(
      (row) => row.state === 'ready' && row.kind === task.kind && (row.song ?? undefined) === task.song,
    );
  }
  const mine = job.tasks.filter(isLive).map((task) => {
    const state = task.state === 'running' ? `running under ${task.claim}` : 'open';
    return `${task.kind} ${task.song ?? ''} ${state}, ${task.failures} failures, ${task.crashes}/${task.solo} crashes`;
  });
  const theirs = rows.map((task) => {
    const state = task.state === 'running' ? `running under ${task.claim}` : 'open';
    return `${task.kind} ${task.song ?? ''} ${state}, ${task.failures} failures, ${task.crashes}/${task.solo} crashes`;
  });
  const [expected, actual] = [mine.sort().join('; '), theirs.sort().join('; ')];
  return expected === actual ? [] : [`job ${job.id} in ${job.stage} has tasks [${actual}] instead of [${expected}]`];
}

/** Tasks that became ready although the circuit of their service was open before and is still. */
function releasedInVain(picture: Picture, before: Picture): string[] {
  const ready = new Set(before.tasks.filter((task) => task.state === 'ready').map((task) => task.id));
  return picture.tasks
    .filter((task) => task.state === 'ready' && !ready.has(task.id) && !task.probe && !task.fallback)
    .filter((task) => before.health[SERVICE_OF[task.kind]]?.open && picture.health[SERVICE_OF[task.kind]].open)
    .map((task) => `${task.kind} ${task.id} was released into an open circuit`);
}

/** Jobs whose version fell, or whose progress fell within an epoch. */
function fallen(picture: Picture, before: Picture): string[] {
  const earlier = new Map(before.jobs.map((job) => [job.id, job]));
  return picture.jobs.flatMap((job) => {
    const then = earlier.get(job.id);
    if (!then || (job.version >= then.version && (job.epoch !== then.epoch || job.progress >= then.progress)))
      return [];
    return [`job ${job.id} fell from version ${then.version}, ${then.progress} % to ${job.version}, ${job.progress} %`];
  });
}

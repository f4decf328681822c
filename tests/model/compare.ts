/** Compares the model with a snapshot of the database. */
import { admit, isLive, isTerminal, type Model, type ModelJob, SERVICE_OF, USES_STORAGE } from './model.ts';
import type { Snapshot, JobSnapshot, TaskSnapshot } from './model-fixture.ts';

/**
 * Admits the jobs that the database admitted, then compares jobs, unfinished tasks and circuits.
 * @param before the last snapshot that agreed with the model
 * @returns the differences
 */
export function compareWithModel(model: Model, snapshot: Snapshot, before: Snapshot): string[] {
  const differences = [...dispatchedIntoOpenCircuits(snapshot, before), ...decreased(snapshot, before)];
  const seen = new Map(snapshot.jobs.map((job) => [job.id, job]));
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
        snapshot.tasks.filter((task) => task.job === job.id),
      ),
    );
  }
  if (seen.size !== Object.keys(model.jobs).length)
    differences.push(`${seen.size} jobs instead of ${Object.keys(model.jobs).length}`);
  for (const [service, circuit] of Object.entries(model.circuits)) {
    const row = snapshot.health[service as keyof Snapshot['health']];
    if (row.open !== circuit.open || row.failures !== circuit.failures) {
      differences.push(`circuit of ${service} is ${JSON.stringify(row)} instead of ${JSON.stringify(circuit)}`);
    }
  }
  return differences;
}

function compareJob(job: ModelJob, row: JobSnapshot): string[] {
  const describe = (one: {
    stage: string;
    epoch: number;
    admitted: boolean;
    hold: boolean;
    plan?: string[] | null;
    studio?: string | null;
  }): string =>
    `${one.stage}, epoch ${one.epoch}, ${one.admitted ? 'with' : 'without'} a slot, ${one.hold ? 'draft' : 'no draft'}, plan ${one.plan?.join('+') ?? 'none'}, studio version ${one.studio ?? 'none'}`;
  const { claim, parts, isOpening } = job.playable ?? {};
  const playable = claim && `generated/${job.id}/${isOpening ? 'open' : job.epoch}-${claim}.parts ${parts}`;
  const differences =
    (playable ?? null) === row.playable ? [] : [`job ${job.id} has the parts ${row.playable} instead of ${playable}`];
  if ((job.link !== undefined) !== row.shared)
    differences.push(`job ${job.id} ${row.shared ? 'has a' : 'has no'} public link`);
  if (describe(job) !== describe(row))
    differences.push(`job ${job.id} is ${describe(row)} instead of ${describe(job)}`);
  return differences;
}

function compareTasks(job: ModelJob, rows: TaskSnapshot[]): string[] {
  for (const task of job.tasks) {
    task.isReady = rows.some(
      (row) => row.state === 'ready' && row.kind === task.kind && (row.song ?? undefined) === task.song,
    );
  }
  const expectedTasks = job.tasks.filter(isLive).map((task) => {
    const state = task.state === 'running' ? `running under ${task.claim}` : 'open';
    return `${task.kind} ${task.song ?? ''} ${state}, ${task.failures} failures, ${task.crashes}/${task.solo} crashes`;
  });
  const actualTasks = rows.map((task) => {
    const state = task.state === 'running' ? `running under ${task.claim}` : 'open';
    return `${task.kind} ${task.song ?? ''} ${state}, ${task.failures} failures, ${task.crashes}/${task.solo} crashes`;
  });
  const [expected, actual] = [expectedTasks.sort().join('; '), actualTasks.sort().join('; ')];
  return expected === actual ? [] : [`job ${job.id} in ${job.stage} has tasks [${actual}] instead of [${expected}]`];
}

/** Finds tasks that became ready while the circuit of their service, or of Storage, was open before and after. */
function dispatchedIntoOpenCircuits(snapshot: Snapshot, before: Snapshot): string[] {
  const ready = new Set(before.tasks.filter((task) => task.state === 'ready').map((task) => task.id));
  return snapshot.tasks
    .filter((task) => task.state === 'ready' && !ready.has(task.id) && task.probes.length === 0 && !task.fallback)
    .filter((task) =>
      [SERVICE_OF[task.kind], ...(USES_STORAGE[task.kind] ? ['storage' as const] : [])].some(
        (service) => before.health[service]?.open && snapshot.health[service].open,
      ),
    )
    .map((task) => `${task.kind} ${task.id} was dispatched into an open circuit`);
}

/** Finds jobs whose version decreased, or whose progress decreased within an epoch. */
function decreased(snapshot: Snapshot, before: Snapshot): string[] {
  const earlier = new Map(before.jobs.map((job) => [job.id, job]));
  return snapshot.jobs.flatMap((job) => {
    const previous = earlier.get(job.id);
    if (
      !previous ||
      (job.version >= previous.version && (job.epoch !== previous.epoch || job.progress >= previous.progress))
    )
      return [];
    return [
      `job ${job.id} decreased from version ${previous.version}, ${previous.progress} % to ${job.version}, ${job.progress} %`,
    ];
  });
}

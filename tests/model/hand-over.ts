/** Operations in which a worker finishes a task and goes on with the next one of the job. */
import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import {
  activeSongs,
  finishTask,
  isPaused,
  type Model,
  type ModelJob,
  type ModelTask,
  requeueTask,
  SERVICE_OF,
  TIMEOUT_MS,
  USES_STORAGE,
} from './model.ts';
import { type Claim, held, LEASE_MS, lostClaimStatus, type Operation, type Outcome } from './operations.ts';

interface Answer {
  status: string;
  next: (Claim['document'] & { task_id: number; claim: string; kind: Claim['kind']; song_id: string | null }) | null;
}

async function finishAndClaim(sql: postgres.Sql, claimed: Claim, leaveOut: boolean, token: string): Promise<Answer> {
  const [row] = await sql<{ answer: Answer }[]>`
    select mashup.finish_task_and_claim(${claimed.id}, ${claimed.token}, model.result_of(${sql.json(claimed.document as never)}, ${leaveOut}), ${token}) as answer`;
  if (!row) throw new Error('the database returned no answer');
  return row.answer;
}

/** Why a task may not be handed over, by the rules; undefined if it may. Places and queue entries are the database's to know. */
function refusal(model: Model, job: ModelJob, task: ModelTask, worker: string): string | undefined {
  const host = model.workers[worker];
  if (!host) return 'the worker is not registered';
  if (host.solo !== undefined) return 'the worker runs a task alone';
  if (task.crashes > 0) return 'the task lost a worker';
  if (isPaused(model, job, task.kind)) return 'it is paused';
  const circuits = [SERVICE_OF[task.kind], ...(USES_STORAGE[task.kind] ? (['storage'] as const) : [])];
  if (circuits.some((name) => model.circuits[name]?.open)) return 'a circuit is open';
  return undefined;
}

/** Applies the finish, and the claim of the next task if the database made one. Returns the expected status. */
function expectFinish(model: Model, claimed: Claim, leaveOut: boolean, answer: Answer): string {
  const mine = held(model, claimed);
  if (!mine) return lostClaimStatus(model, claimed);
  const worker = mine.task.worker ?? '';
  const active = claimed.document.songs.filter((song) => song.state !== 'excluded').map((song) => song.song_id);
  finishTask(model, mine.job, mine.task, leaveOut && active.length === 3 ? active.slice(1) : active);
  model.hits.push(`finished ${claimed.kind}`);
  const { next } = answer;
  if (next === null) return 'finished';
  const task = mine.job.tasks.find(
    (one) => one.kind === next.kind && one.song === (next.song_id ?? undefined) && one.state === 'open',
  );
  if (!task || !mine.job.admitted || activeSongs(mine.job).length === 0)
    return `no open ${next.kind} task to hand over`;
  const why = refusal(model, mine.job, task, worker);
  if (why !== undefined) return `no hand-over of ${next.kind}: ${why}`;
  Object.assign(task, {
    state: 'running',
    id: String(next.task_id),
    claim: next.claim,
    worker,
    leaseUntil: model.now + LEASE_MS,
    deadline: model.now + TIMEOUT_MS[task.kind],
  });
  model.hits.push('handed over');
  return 'finished';
}

const withNext = (result: string, { next }: Answer): Outcome => ({
  result,
  ...(next === null ? {} : { claimed: next }),
});

/** Finishes a task and claims the next one of the job. */
export function finishAndContinue(claimed: Claim, leaveOut: boolean): Operation {
  let answer: Answer | undefined;
  return {
    name: `finish ${claimed.kind} ${claimed.id} and go on`,
    async run(sql) {
      answer = await finishAndClaim(sql, claimed, leaveOut, randomUUID());
      return withNext(answer.status, answer);
    },
    expect: (model) => (answer ? expectFinish(model, claimed, leaveOut, answer) : 'an answer'),
  };
}

/** The answer to a finish is lost with its connection, and the worker repeats the call: it gets the claim of the first one. */
export function repeatFinish(claimed: Claim, leaveOut: boolean): Operation {
  let answers: [Answer, Answer] | undefined;
  const token = randomUUID();
  return {
    name: `finish ${claimed.kind} ${claimed.id} twice, as the answer was lost`,
    async run(sql) {
      const first = await finishAndClaim(sql, claimed, leaveOut, token);
      const second = await finishAndClaim(sql, claimed, leaveOut, token);
      answers = [first, second];
      return withNext(`${second.status} ${second.next?.claim ?? 'without'}`, first);
    },
    expect(model) {
      if (!answers) return 'two answers';
      const status = expectFinish(model, claimed, leaveOut, answers[0]);
      if (status !== answers[0].status) return status;
      if (answers[0].next === null) {
        // The first call changed rows, so this is no late write.
        const counted = model.hits.length;
        const lost = lostClaimStatus(model, claimed);
        model.hits.length = counted;
        return `${lost} without`;
      }
      model.hits.push('finish repeated');
      return `finished ${answers[0].next.claim}`;
    },
  };
}

/** The answer to a finish is lost, and the worker gives back the task that it may have claimed. */
export function loseHandOver(claimed: Claim, leaveOut: boolean): Operation {
  let answer: Answer | undefined;
  return {
    name: `finish ${claimed.kind} ${claimed.id}, lose the answer and give back`,
    async run(sql) {
      const token = randomUUID();
      answer = await finishAndClaim(sql, claimed, leaveOut, token);
      const [row] = await sql<{ n: number }[]>`
        select mashup.return_claims(w.id, ${[token]}::uuid[]) as n from mashup.workers w
        order by (select count(*) from mashup.tasks t where t.worker_id = w.id and t.claim = ${token}) desc limit 1`;
      return { result: `${answer.status} ${row?.n ?? 0}` };
    },
    expect(model) {
      if (!answer) return 'an answer';
      const status = expectFinish(model, claimed, leaveOut, answer);
      if (answer.next === null) return `${status} 0`;
      for (const job of Object.values(model.jobs))
        for (const task of job.tasks) if (task.claim === answer.next.claim) requeueTask(task);
      model.hits.push('unknown claim returned');
      return `${status} 1`;
    },
  };
}

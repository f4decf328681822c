/** What users, workers, operators and misfortune do, one at a time: how it is done, and what the model expects of it. */
import type postgres from 'postgres';
import { type Stage, STAGES, type TaskKind } from '../../schema.ts';
import {
  cancel,
  failTask,
  finishTask,
  freeTask,
  goodSongs,
  isPaused,
  type Model,
  type ModelJob,
  type ModelTask,
  newModel,
  replay,
  retry,
  TIMEOUT_MS,
  start,
} from './model.ts';
import type { Picture, PictureTask, World } from './model-fixture.ts';

export interface Claim {
  id: string;
  token: string;
  job: string;
  kind: TaskKind;
  song: string | null;
  document: { songs: { song_id: string; state: string }[] };
}

/** What the database answered: a verdict, ok, or a SQLSTATE; and what came with it. */
export interface Outcome {
  said: string;
  data?: unknown;
}

export interface Operation {
  name: string;
  run(sql: postgres.Sql): Promise<Outcome>;
  /** Does the same to the model; answers what the database must have said. */
  expect(model: Model, outcome: Outcome): string;
}

export interface State {
  world: World;
  model: Model;
  picture: Picture;
  /** Every claim that was ever handed out: what is not held any more is what late workers come with. */
  claims: Claim[];
  owed: { release: boolean; wakeups: boolean };
  queueIsAway: boolean;
  queueLostAt: number;
  reconciledAt: number;
  /** Workers that claim, and one that only drives. */
  crew: string[];
  driver: string;
}

/** An empty world, as a sequence finds it. */
export function newState(world: World): State {
  const picture: Picture = { jobs: [], tasks: [], health: {} as Picture['health'], digest: '' };
  return {
    world,
    model: newModel(),
    picture,
    claims: [],
    owed: { release: false, wakeups: false },
    queueIsAway: false,
    queueLostAt: 0,
    reconciledAt: -Infinity,
    crew: [],
    driver: '',
  };
}

const LEASE_MS = 30_000;

/** Runs a statement whose refusal is an answer. */
export async function ask(query: postgres.PendingQuery<postgres.Row[]>): Promise<Outcome> {
  try {
    const [row] = await query;
    return { said: typeof row?.said === 'string' ? row.said : 'ok', data: row?.data };
  } catch (error) {
    const { code, message } = error as postgres.PostgresError;
    if (code === undefined || !/^MB\d{3}$/.test(code)) throw error;
    return { said: code, data: message };
  }
}

export function held(model: Model, claim: Claim): { job: ModelJob; task: ModelTask } | undefined {
  const job = model.jobs[claim.job];
  const task = job?.tasks.find((one) => one.claim === claim.token);
  return job && task ? { job, task } : undefined;
}

/** What a worker is told whose claim is void. */
function whyVoid(model: Model, claim: Claim): string {
  const reason = model.jobs[claim.job] ? model.dropped[claim.id] : undefined;
  model.hits.push('late write refused');
  if (model.jobs[claim.job]?.tasks.some((task) => task.id === claim.id && task.claim !== undefined)) {
    model.hits.push('late write against a new claim refused');
  }
  return reason === 'replayed' || reason === 'cancelled' || reason === 'failed' ? reason : 'lost';
}

export function submit(user: string, count: number, isDraft: boolean): Operation {
  return {
    name: `submit ${count} songs${isDraft ? ' as a draft' : ''}`,
    run: (sql) => ask(sql`select model.submit(${user}, ${count}, ${isDraft ? 'planning' : null}) as data`),
    expect(model, outcome) {
      const { job_id, songs } = outcome.data as { job_id: string; songs: { song_id: string }[] };
      model.jobs[job_id] = {
        id: job_id,
        user,
        stage: 'queued',
        epoch: 1,
        hold: isDraft,
        fresh: false,
        admitted: false,
        entry: 'analyzing',
        songs: songs.map(({ song_id }) => ({ id: song_id, state: 'good', analysed: false, stems: 0 })),
        hasScores: false,
        plan: undefined,
        stopped: undefined,
        stageEntered: model.now,
        tasks: [],
      };
      model.hits.push(isDraft ? 'draft submitted' : 'submitted');
      return 'ok';
    },
  };
}

export function iterate(job: ModelJob): Operation {
  return {
    name: `iterate ${job.id}`,
    run: (sql) => ask(sql`select model.iterate(${job.user}, ${job.id}) as data`),
    expect(model, outcome) {
      const parent = model.jobs[job.id];
      if (!parent) return 'MB002';
      if (parent.plan === undefined || !parent.hasScores || goodSongs(parent).some((song) => !song.analysed))
        return 'MB003';
      const id = outcome.data as string;
      model.jobs[id] = {
        ...structuredClone(parent),
        id,
        stage: 'queued',
        epoch: 1,
        hold: false,
        fresh: false,
        admitted: false,
        entry: 'planning',
        plan: undefined,
        stopped: undefined,
        stageEntered: model.now,
        tasks: [],
      };
      model.hits.push('iterated');
      return 'ok';
    },
  };
}

/** `isLate`: with the attempt of an earlier wake-up. */
export function claim(task: PictureTask, worker: string, isLate: boolean): Operation {
  const attempt = task.attempt - Number(isLate);
  return {
    name: `claim ${task.kind} ${task.id}`,
    async run(sql) {
      const [row] = await sql<{ answer: { status: string; reason?: string; claim: string } }[]>`
        select mashup.claim_task(${task.id}, ${attempt}, ${worker}) as answer`;
      const answer = row?.answer;
      return { said: [answer?.status, answer?.reason].filter(Boolean).join(' '), data: answer };
    },
    expect(model, outcome) {
      const job = model.jobs[task.job];
      const mine = job?.tasks.find(
        (one) => one.kind === task.kind && one.song === (task.song ?? undefined) && one.state === 'open',
      );
      const isGone = !job || !mine || job.epoch !== task.epoch || mine.deferred === task.attempt;
      if (isLate || isGone) {
        model.hits.push('late wake-up refused');
        return 'gone';
      }
      const employee = model.workers[worker];
      if (!employee) return 'gone';
      if (isPaused(model, job, task.kind)) {
        mine.deferred = task.attempt;
        model.hits.push('claim deferred: paused');
        return 'deferred paused';
      }
      const isSolo = mine.crashes >= 2;
      const others = Object.values(model.jobs).flatMap((one) => one.tasks.filter((other) => other.worker === worker));
      if ((isSolo && others.length > 0) || isReserved(model, employee.solo, task.id, worker)) {
        if (isSolo) employee.solo ??= task.id;
        mine.deferred = task.attempt;
        model.hits.push('claim deferred: alone');
        return 'deferred must_run_alone';
      }
      delete employee.solo;
      if (isSolo) employee.solo = task.id;
      const { claim: token } = outcome.data as { claim: string };
      Object.assign(mine, {
        state: 'running',
        id: task.id,
        claim: token,
        worker,
        leaseUntil: model.now + LEASE_MS,
        deadline: model.now + TIMEOUT_MS[task.kind],
      });
      if (task.fallback) model.hits.push('claimed without its service');
      return 'claimed';
    },
  };
}

/** A worker that is to run one task alone takes no other while that one is on its way to it. */
function isReserved(model: Model, solo: string | undefined, task: string, worker: string): boolean {
  if (solo === undefined || solo === task) return false;
  return Object.values(model.jobs).some((job) =>
    job.tasks.some((one) => one.id === solo && (one.state === 'open' ? one.isReady : one.worker === worker)),
  );
}

export function beat(claimed: Claim, news: number | undefined): Operation {
  return {
    name: `beat ${claimed.kind} ${claimed.id}`,
    run: (sql) =>
      ask(
        sql`select mashup.heartbeat_task(${claimed.id}, ${claimed.token}, ${news ?? null}, ${news === undefined ? null : `At ${news}`}) as said`,
      ),
    expect(model) {
      const mine = held(model, claimed);
      if (!mine) return whyVoid(model, claimed);
      mine.task.leaseUntil = model.now + LEASE_MS;
      model.hits.push(news === undefined ? 'beat' : 'beat with news');
      return 'held';
    },
  };
}

/** `leaveOut`: the plan does without one of three songs. */
export function finish(claimed: Claim, leaveOut: boolean): Operation {
  return {
    name: `finish ${claimed.kind} ${claimed.id}`,
    run: (sql) =>
      ask(sql`select mashup.finish_task(${claimed.id}, ${claimed.token},
        model.result_of(${sql.json(claimed.document as never)}, ${leaveOut})) as said`),
    expect(model) {
      const mine = held(model, claimed);
      if (!mine) return whyVoid(model, claimed);
      const good = claimed.document.songs.filter((song) => song.state !== 'excluded').map((song) => song.song_id);
      finishTask(model, mine.job, mine.task, leaveOut && good.length === 3 ? good.slice(1) : good);
      model.hits.push(`finished ${claimed.kind}`);
      return 'finished';
    },
  };
}

export function fail(claimed: Claim, faultClass: string, isProbe: boolean): Operation {
  return {
    name: `fail ${claimed.kind} ${claimed.id}: ${faultClass}`,
    run: (sql) =>
      ask(
        sql`select mashup.fail_task(${claimed.id}, ${claimed.token}, 'test_fault', 'It went wrong.', 'Try again.', ${faultClass}) as said`,
      ),
    expect(model) {
      const mine = held(model, claimed);
      if (!mine) return whyVoid(model, claimed);
      model.hits.push(`fault: ${faultClass}`);
      return failTask(model, mine.job, mine.task, faultClass, isProbe);
    },
  };
}

export function handBack(claimed: Claim): Operation {
  return {
    name: `hand back ${claimed.kind} ${claimed.id}`,
    run: (sql) => ask(sql`select mashup.return_task(${claimed.id}, ${claimed.token}) as said`),
    expect(model) {
      const mine = held(model, claimed);
      if (!mine) return whyVoid(model, claimed);
      freeTask(mine.task);
      model.hits.push('handed back');
      return 'returned';
    },
  };
}

export function cancelJob(id: string, byUpdate: boolean): Operation {
  return {
    name: `cancel ${id}${byUpdate ? ' by update' : ''}`,
    run: (sql) =>
      ask(
        byUpdate
          ? sql`update public.mashup_jobs set stage = 'cancelled' where id = ${id}`
          : sql`select (mashup.cancel(${id})).stage as data`,
      ),
    expect: (model) => (model.jobs[id] ? cancel(model, model.jobs[id]) : byUpdate ? 'ok' : 'MB002'),
  };
}

export function replayJob(id: string, stage: Stage, by: 'update' | 'verb' | 'fresh'): Operation {
  return {
    name: `replay ${id} to ${stage} by ${by}`,
    run: (sql) =>
      ask(
        by === 'update'
          ? sql`update public.mashup_jobs set stage = ${stage} where id = ${id}`
          : sql`select (mashup.replay(${id}, ${stage}, ${by === 'fresh'})).stage as data`,
      ),
    expect(model) {
      const job = model.jobs[id];
      if (!job) return by === 'update' ? 'ok' : 'MB002';
      const said = replay(model, job, stage, { fresh: by === 'fresh' });
      if (said !== 'ok') model.hits.push(`refused ${said}`);
      return said;
    },
  };
}

export function illegal(job: ModelJob, which: number): Operation {
  const stage = ['complete', 'failed', 'dancing'][which % 3] ?? 'complete';
  return {
    name: `set ${job.id} to ${stage}`,
    run: (sql) => ask(sql`update public.mashup_jobs set stage = ${stage} where id = ${job.id}`),
    expect(model) {
      model.hits.push('refused MB001');
      return 'MB001';
    },
  };
}

export function retryJob(id: string): Operation {
  return {
    name: `retry ${id}`,
    run: (sql) => ask(sql`select (mashup.retry(${id})).stage as data`),
    expect(model) {
      const job = model.jobs[id];
      const said = job ? retry(model, job) : 'MB002';
      if (said === 'ok') model.hits.push('retried');
      return said;
    },
  };
}

export function startJob(id: string): Operation {
  return {
    name: `start ${id}`,
    run: (sql) => ask(sql`select (mashup.start(${id})).stage as data`),
    expect: (model) => (model.jobs[id] ? start(model, model.jobs[id]) : 'MB002'),
  };
}

/** A verb over all failed jobs, or over all of one user. */
export function bulk(verb: 'retry' | 'cancel' | 'replay', user: string): Operation {
  return {
    name: `bulk ${verb}`,
    run: (sql) =>
      ask(sql`select string_agg(outcome, ' ') as said from mashup.bulk(${verb}, ${verb === 'cancel' ? null : 'failed'},
        p_user_id => ${verb === 'cancel' ? user : null}, p_to_stage => 'analyzing')`),
    expect(model) {
      const jobs = Object.values(model.jobs)
        .filter((job) => (verb === 'cancel' ? job.user === user : job.stage === 'failed'))
        .sort((a, b) => (a.id < b.id ? -1 : 1));
      model.hits.push(`bulk ${verb}`);
      const said = jobs.map((job) =>
        verb === 'retry' ? retry(model, job) : verb === 'cancel' ? cancel(model, job) : replay(model, job, 'analyzing'),
      );
      return said.map((one) => (one === 'ok' ? 'done' : 'refused')).join(' ') || 'ok';
    },
  };
}

export function pause(scope: string, key: string, until: number | undefined): Operation {
  return {
    name: `pause ${scope} ${key}`,
    run: (sql) =>
      ask(sql`select (mashup.pause(${scope}, ${key}, 'test',
        case when ${until !== undefined} then mashup.now() + interval '1 minute' end)).scope as data`),
    expect(model) {
      model.pauses[`${scope} ${key}`] = until === undefined ? Infinity : model.now + 60_000;
      model.hits.push(`paused ${scope}`);
      return 'ok';
    },
  };
}

export function resume(which: string): Operation {
  const [scope = '', key = ''] = which.split(' ');
  return {
    name: `resume ${which}`,
    run: (sql) => ask(sql`select mashup.resume(${scope}, ${key}) as data`),
    expect(model) {
      delete model.pauses[which];
      model.hits.push('resumed');
      return 'ok';
    },
  };
}

/** Runs a job without interruption until it is in a stage, on a worker that does nothing else. */
export function drive(id: string, stage: Stage, worker: string): Operation {
  return {
    name: `drive ${id} to ${stage}`,
    async run(sql) {
      const [row] = await sql`call model.drive(${id}, ${stage}, ${worker}, null)`;
      return { said: 'ok', data: row?.p_steps };
    },
    expect(model, outcome) {
      for (const step of outcome.data as { id: string; kind: TaskKind; song: string | null }[]) {
        const job = model.jobs[id];
        const task = job?.tasks.find(
          (one) => one.kind === step.kind && one.song === (step.song ?? undefined) && one.state === 'open',
        );
        if (!job || !task) return `no ${step.kind} task to do`;
        task.id = step.id;
        task.state = 'running';
        model.now += 1;
        finishTask(
          model,
          job,
          task,
          goodSongs(job).map((song) => song.id),
        );
        model.hits.push(`finished ${step.kind}`);
      }
      return 'ok';
    },
  };
}

export const STAGES_WITH_WORK = STAGES.slice(0, 6);

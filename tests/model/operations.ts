/** The operations of users, workers and operators: how each is run, and what the model expects of it. */
import type postgres from 'postgres';
import { REPLAY_STAGES, type Stage, type TaskKind } from '../../schema.ts';
import {
  cancel,
  failTask,
  finishTask,
  reportMissingStems,
  requeueTask,
  activeSongs,
  isPaused,
  type Model,
  type ModelJob,
  type ModelTask,
  newModel,
  replay,
  retry,
  STAGE_OF,
  TIMEOUT_MS,
  start,
  type Fault,
  USES_STORAGE,
} from './model.ts';
import type { Limits, ModelFixture, Pending, Snapshot, TaskSnapshot } from './model-fixture.ts';

export interface Claim {
  id: string;
  token: string;
  job: string;
  kind: TaskKind;
  song: string | null;
  document: { songs: { song_id: string; state: string }[] };
}

/** What the database returned: a status, ok or a SQLSTATE; and data. */
export interface Outcome {
  result: string;
  data?: unknown;
  /** The task that was claimed besides. */
  claimed?: unknown;
}

export interface Operation {
  name: string;
  run(sql: postgres.Sql): Promise<Outcome>;
  /** Applies the operation to the model. Returns the result that the database must have returned. */
  expect(model: Model, outcome: Outcome): string;
}

export interface State {
  fixture: ModelFixture;
  model: Model;
  snapshot: Snapshot;
  /** Every claim that was ever made. Late workers use those that are not held any more. */
  claims: Claim[];
  pending: Pending;
  isQueueHidden: boolean;
  queueLostAt: number;
  reconciledAt: number;
  /** Workers that claim tasks, and one that only drives jobs. */
  workers: string[];
  driver: string;
}

/** Returns the state at the start of a sequence. */
export function newState(fixture: ModelFixture, { early }: Limits): State {
  const snapshot: Snapshot = { jobs: [], tasks: [], health: {} as Snapshot['health'], digest: '' };
  return {
    fixture,
    model: newModel(early === 'always'),
    snapshot,
    claims: [],
    pending: { schedule: false, queueEntries: false },
    isQueueHidden: false,
    queueLostAt: 0,
    reconciledAt: -Infinity,
    workers: [],
    driver: '',
  };
}

export const LEASE_MS = 30_000;

/** Runs a statement. A refusal is a result. */
export async function call(query: postgres.PendingQuery<postgres.Row[]>): Promise<Outcome> {
  try {
    const [row] = await query;
    return { result: typeof row?.result === 'string' ? row.result : 'ok', data: row?.data };
  } catch (error) {
    const { code, message } = error as postgres.PostgresError;
    if (code === undefined || !/^MB\d{3}$/.test(code)) throw error;
    return { result: code, data: message };
  }
}

export function held(model: Model, claim: Claim): { job: ModelJob; task: ModelTask } | undefined {
  const job = model.jobs[claim.job];
  const task = job?.tasks.find((one) => one.claim === claim.token);
  return job && task ? { job, task } : undefined;
}

/** Returns the status that a worker gets for a lost claim. */
export function lostClaimStatus(model: Model, claim: Claim): string {
  const reason = model.jobs[claim.job] ? model.dropped[claim.id] : undefined;
  model.hits.push('late write refused');
  if (model.jobs[claim.job]?.tasks.some((task) => task.id === claim.id && task.claim !== undefined)) {
    model.hits.push('late write against a new claim refused');
  }
  return reason === 'replayed' || reason === 'cancelled' || reason === 'failed' ? reason : 'lost';
}

export function submit(user: string, count: number, isDraft: boolean, wantsStudio: boolean): Operation {
  return {
    name: `submit ${count} songs${isDraft ? ' as a draft' : ''}${wantsStudio ? ' for a studio version' : ''}`,
    run: (sql) =>
      call(sql`select model.submit(${user}, ${count}, ${isDraft ? 'planning' : null}, ${wantsStudio}) as data`),
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
        songs: songs.map(({ song_id }) => ({ id: song_id, state: 'active', analysed: false, stems: 0 })),
        hasScores: false,
        plan: undefined,
        wantsStudio,
        isClassical: false,
        stopped: undefined,
        stageEntered: model.now,
        tasks: [],
      };
      model.hits.push(isDraft ? 'draft submitted' : 'submitted');
      return 'ok';
    },
  };
}

export function iterate(job: ModelJob, byHand = false): Operation {
  return {
    name: `${byHand ? 'edit' : 'iterate'} ${job.id}`,
    run: (sql) => call(sql`select model.iterate(${job.user}, ${job.id}, ${byHand}) as data`),
    expect(model, outcome) {
      const parent = model.jobs[job.id];
      if (!parent) return 'MB002';
      if (parent.plan === undefined || !parent.hasScores || activeSongs(parent).some((song) => !song.analysed))
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
        studio: undefined,
        stopped: undefined,
        remade: undefined,
        playable: undefined,
        link: undefined,
        stageEntered: model.now,
        tasks: [],
      };
      model.hits.push(byHand ? 'edited' : 'iterated');
      return 'ok';
    },
  };
}

/** Claims a task. `isLate`: with the attempt of an earlier queue entry. */
export function claim(task: TaskSnapshot, worker: string, isLate: boolean): Operation {
  const attempt = task.attempt - Number(isLate);
  return {
    name: `claim ${task.kind} ${task.id}`,
    async run(sql) {
      const [row] = await sql<{ claimed: { status: string; reason?: string; claim: string } }[]>`
        select mashup.claim_task(${task.id}, ${attempt}, ${worker}) as claimed`;
      const claimed = row?.claimed;
      return { result: [claimed?.status, claimed?.reason].filter(Boolean).join(' '), data: claimed };
    },
    expect(model, outcome) {
      const job = model.jobs[task.job];
      const mine = job?.tasks.find(
        (one) => one.kind === task.kind && one.song === (task.song ?? undefined) && one.state === 'open',
      );
      const isGone = !job || !mine || job.epoch !== task.epoch || mine.deferred === task.attempt;
      if (isLate || isGone) {
        model.hits.push('late queue entry refused');
        return 'gone';
      }
      const host = model.workers[worker];
      if (!host) return 'gone';
      if (isPaused(model, job, task.kind)) {
        mine.deferred = task.attempt;
        model.hits.push('claim deferred: paused');
        return 'deferred paused';
      }
      if (USES_STORAGE[task.kind] && model.circuits['storage']?.open && !task.probes.includes('storage')) {
        mine.deferred = task.attempt;
        model.hits.push('claim deferred: circuit');
        return 'deferred circuit';
      }
      const isSolo = mine.crashes >= 2;
      const others = Object.values(model.jobs).flatMap((one) => one.tasks.filter((other) => other.worker === worker));
      if ((isSolo && others.length > 0) || isReserved(model, host.solo, task.id, worker)) {
        if (isSolo) host.solo ??= task.id;
        mine.deferred = task.attempt;
        model.hits.push('claim deferred: soloRun');
        return 'deferred must_run_alone';
      }
      delete host.solo;
      if (isSolo) host.solo = task.id;
      const { claim: token } = outcome.data as { claim: string };
      if (STAGE_OF[task.kind] === job.stage && !job.playable?.isOpening) delete job.playable;
      Object.assign(mine, {
        state: 'running',
        id: task.id,
        claim: token,
        worker,
        leaseUntil: model.now + LEASE_MS,
        deadline: model.now + TIMEOUT_MS[task.kind],
      });
      if (task.fallback) model.hits.push('claimed as a fallback');
      return 'claimed';
    },
  };
}

/** Whether a worker waits to run one task alone; it then claims no other. */
function isReserved(model: Model, solo: string | undefined, task: string, worker: string): boolean {
  if (solo === undefined || solo === task) return false;
  return Object.values(model.jobs).some((job) =>
    job.tasks.some((one) => one.id === solo && (one.state === 'open' ? one.isReady : one.worker === worker)),
  );
}

export function heartbeat(claimed: Claim, progress: number | undefined): Operation {
  return {
    name: `heartbeat ${claimed.kind} ${claimed.id}`,
    run: (sql) =>
      call(
        sql`select mashup.heartbeat_task(${claimed.id}, ${claimed.token}, ${progress ?? null}, ${progress === undefined ? null : `At ${progress}`}) as result`,
      ),
    expect(model) {
      const mine = held(model, claimed);
      if (!mine) return lostClaimStatus(model, claimed);
      mine.task.leaseUntil = model.now + LEASE_MS;
      model.hits.push(progress === undefined ? 'heartbeat' : 'heartbeat with progress');
      return 'held';
    },
  };
}

/** Publishes the first `parts` playable parts of a claim. No more than the row has already change nothing. */
export function publish(claimed: Claim, parts: number): Operation {
  return {
    name: `publish ${parts} parts of ${claimed.kind} ${claimed.id}`,
    run: (sql) =>
      call(sql`select mashup.publish_playable(${claimed.id}, ${claimed.token}, jsonb_build_object(
        'path', (select case t.kind when 'separate' then mashup.opening_path(t) else t.output_prefix || '.parts' end
          from mashup.tasks t where t.id = ${claimed.id}), 'sample_rate', 44100,
        'total_frames', 1000000, 'ends', (select jsonb_agg(n * 1000) from generate_series(1, ${parts}::int) n))) as result`),
    expect(model) {
      const mine = held(model, claimed);
      if (!mine) return lostClaimStatus(model, claimed);
      const isOpening = claimed.kind === 'separate';
      if (isOpening ? mine.task.opening !== claimed.token : claimed.kind !== 'render') return 'MB006';
      model.hits.push(isOpening ? 'opening published' : 'parts published');
      if (isOpening && mine.job.stage !== 'separating') return 'held';
      if (mine.task.isStudio) return 'held';
      if (parts > (mine.job.playable?.parts ?? 0)) mine.job.playable = { claim: claimed.token, parts, isOpening };
      return 'held';
    },
  };
}

/**
 * Reports that what the opening plays of a song is separated. The fixture's opening plays the beginning of the last song. Whether a place
 * is free for it is the database's to know.
 */
export function reportOpening(claimed: Claim): Operation {
  return {
    name: `report opening of ${claimed.kind} ${claimed.id}`,
    run: (sql) =>
      call(sql`select r.answer ->> 'status' as result, r.answer ->> 'path' as data from (select mashup.report_opening(
        ${claimed.id}, ${claimed.token}, model.opening_of(${sql.json(claimed.document as never)})) as answer) r`),
    expect(model, outcome) {
      const mine = held(model, claimed);
      if (!mine) return lostClaimStatus(model, claimed);
      if (claimed.kind !== 'separate') return 'MB006';
      model.hits.push('opening reported');
      const { job } = mine;
      if (typeof outcome.data !== 'string') return 'held';
      model.hits.push('opening begun');
      mine.task.opening = claimed.token;
      const isDue = job.stage === 'separating' && !job.fresh && !job.playable && !model.isSeparatedEarly;
      return isDue && outcome.data === `generated/${job.id}/open-${claimed.token}.parts` ? 'held' : 'no opening is due';
    },
  };
}

/** Finishes a task. `leaveOut`: the plan does not use one of three songs. */
export function finish(claimed: Claim, leaveOut: boolean): Operation {
  return {
    name: `finish ${claimed.kind} ${claimed.id}`,
    run: (sql) =>
      call(sql`select mashup.finish_task(${claimed.id}, ${claimed.token},
        model.result_of(${sql.json(claimed.document as never)}, ${leaveOut})) as result`),
    expect(model) {
      const mine = held(model, claimed);
      if (!mine) return lostClaimStatus(model, claimed);
      const active = claimed.document.songs.filter((song) => song.state !== 'excluded').map((song) => song.song_id);
      finishTask(model, mine.job, mine.task, leaveOut && active.length === 3 ? active.slice(1) : active);
      model.hits.push(`finished ${claimed.kind}`);
      return 'finished';
    },
  };
}

export function fail(claimed: Claim, fault: Fault): Operation {
  const { faultClass, blamed } = fault;
  return {
    name: `fail ${claimed.kind} ${claimed.id}: ${faultClass}${blamed ? ` of ${blamed}` : ''}`,
    run: (sql) =>
      call(
        sql`select mashup.fail_task(${claimed.id}, ${claimed.token}, 'test_fault', 'It went wrong.', 'Try again.', ${faultClass},
          p_service => ${blamed ?? null}, p_spends => ${fault.spends ?? true}) as result`,
      ),
    expect(model) {
      const mine = held(model, claimed);
      if (!mine) return lostClaimStatus(model, claimed);
      model.hits.push(`fault: ${faultClass}`);
      return failTask(model, mine.job, mine.task, fault);
    },
  };
}

/** A render reports that the stems of a song are missing. */
export function missingStems(claimed: Claim, songId: string): Operation {
  return {
    name: `${claimed.kind} ${claimed.id} misses the stems of ${songId}`,
    run: (sql) =>
      call(sql`select mashup.report_missing_stems(${claimed.id}, ${claimed.token}, array(
        select (s ->> 'stems_id')::bigint from public.mashup_jobs j, jsonb_array_elements(j.songs) s
        where j.id = ${claimed.job} and s ->> 'song_id' = ${songId} and s ->> 'stems_id' is not null)) as result`),
    expect(model) {
      const mine = held(model, claimed);
      const song = mine?.job.songs.find(({ id }) => id === songId);
      if (!mine || !song) return lostClaimStatus(model, claimed);
      return reportMissingStems(model, mine.job, mine.task, song);
    },
  };
}

export function returnTask(claimed: Claim): Operation {
  return {
    name: `return ${claimed.kind} ${claimed.id}`,
    run: (sql) => call(sql`select mashup.return_task(${claimed.id}, ${claimed.token}) as result`),
    expect(model) {
      const mine = held(model, claimed);
      if (!mine) return lostClaimStatus(model, claimed);
      requeueTask(mine.task);
      model.hits.push('task returned');
      return 'returned';
    },
  };
}

export function cancelJob(id: string, byUpdate: boolean): Operation {
  return {
    name: `cancel ${id}${byUpdate ? ' by update' : ''}`,
    run: (sql) =>
      call(
        byUpdate
          ? sql`update public.mashup_jobs set stage = 'cancelled' where id = ${id}`
          : sql`select (mashup.cancel(${id})).stage as data`,
      ),
    expect: (model) => (model.jobs[id] ? cancel(model, model.jobs[id], byUpdate) : byUpdate ? 'ok' : 'MB002'),
  };
}

export function replayJob(id: string, stage: Stage, by: 'update' | 'function' | 'fresh'): Operation {
  return {
    name: `replay ${id} to ${stage} by ${by}`,
    run: (sql) =>
      call(
        by === 'update'
          ? sql`update public.mashup_jobs set stage = ${stage} where id = ${id}`
          : sql`select (mashup.replay(${id}, ${stage}, ${by === 'fresh'})).stage as data`,
      ),
    expect(model) {
      const job = model.jobs[id];
      if (!job) return by === 'update' ? 'ok' : 'MB002';
      const result = replay(model, job, stage, { fresh: by === 'fresh' });
      if (result !== 'ok') model.hits.push(`refused ${result}`);
      return result;
    },
  };
}

export function illegal(job: ModelJob, which: number): Operation {
  const stage = ['complete', 'failed', 'dancing'][which % 3] ?? 'complete';
  return {
    name: `set ${job.id} to ${stage}`,
    run: (sql) => call(sql`update public.mashup_jobs set stage = ${stage} where id = ${job.id}`),
    expect(model) {
      model.hits.push('refused MB001');
      return 'MB001';
    },
  };
}

export function retryJob(id: string): Operation {
  return {
    name: `retry ${id}`,
    run: (sql) => call(sql`select (mashup.retry(${id})).stage as data`),
    expect(model) {
      const job = model.jobs[id];
      const result = job ? retry(model, job) : 'MB002';
      if (result === 'ok') model.hits.push('retried');
      return result;
    },
  };
}

export function startJob(id: string): Operation {
  return {
    name: `start ${id}`,
    run: (sql) => call(sql`select (mashup.start(${id})).stage as data`),
    expect: (model) => (model.jobs[id] ? start(model, model.jobs[id]) : 'MB002'),
  };
}

/** A bulk operation over all failed jobs, or over all jobs of one user. */
export function bulk(name: 'retry' | 'cancel' | 'replay', user: string): Operation {
  return {
    name: `bulk ${name}`,
    run: (sql) =>
      call(sql`select string_agg(outcome, ' ') as result from mashup.bulk(${name}, ${name === 'cancel' ? null : 'failed'},
        p_user_id => ${name === 'cancel' ? user : null}, p_to_stage => 'analyzing')`),
    expect(model) {
      const jobs = Object.values(model.jobs)
        .filter((job) => (name === 'cancel' ? job.user === user : job.stage === 'failed'))
        .sort((a, b) => (a.id < b.id ? -1 : 1));
      model.hits.push(`bulk ${name}`);
      const result = jobs.map((job) =>
        name === 'retry' ? retry(model, job) : name === 'cancel' ? cancel(model, job) : replay(model, job, 'analyzing'),
      );
      return result.map((one) => (one === 'ok' ? 'done' : 'refused')).join(' ') || 'ok';
    },
  };
}

export function pause(scope: string, key: string, until: number | undefined): Operation {
  return {
    name: `pause ${scope} ${key}`,
    run: (sql) =>
      call(sql`select (mashup.pause(${scope}, ${key}, 'test',
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
    run: (sql) => call(sql`select mashup.resume(${scope}, ${key}) as data`),
    expect(model) {
      delete model.pauses[which];
      model.hits.push('resumed');
      return 'ok';
    },
  };
}

/** Runs a job without interruption until it is in a stage, on a worker of its own. */
export function drive(id: string, stage: Stage, worker: string): Operation {
  return {
    name: `drive ${id} to ${stage}`,
    async run(sql) {
      const [row] = await sql`call model.drive(${id}, ${stage}, ${worker}, null)`;
      return { result: 'ok', data: row?.p_steps };
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
          activeSongs(job).map((song) => song.id),
        );
        model.hits.push(`finished ${step.kind}`);
      }
      return 'ok';
    },
  };
}

/** Stages that a job can be replayed from. */
export const STAGES_WITH_WORK: readonly Stage[] = REPLAY_STAGES;

/**
 * What a job may be, in plain TypeScript: the state machine's rules a second time, without locks, rows or time of day.
 * Only two things happen to a model by themselves, and are taken from the database when it shows them: a waiting job gets
 * a slot, and a waiting task becomes ready.
 */
import type { ServiceName, Stage, TaskKind } from '../../schema.ts';

export const POSITION: Record<Stage, number> = {
  queued: 0,
  analyzing: 1,
  scoring: 2,
  planning: 3,
  separating: 4,
  rendering: 5,
  complete: 6,
  failed: 7,
  cancelled: 8,
};
export const SERVICE_OF: Record<TaskKind, ServiceName> = {
  analyze: 'analysis',
  score: 'scoring',
  plan: 'orchestrator',
  separate: 'separation',
  render: 'processing',
};
const STAGE_OF: Record<TaskKind, Stage> = {
  analyze: 'analyzing',
  score: 'scoring',
  plan: 'planning',
  separate: 'separating',
  render: 'rendering',
};
export const MAX_ATTEMPTS: Record<TaskKind, number> = { analyze: 4, score: 4, plan: 3, separate: 4, render: 3 };
/** How long an attempt may take. */
export const TIMEOUT_MS: Record<TaskKind, number> = {
  analyze: 300_000,
  score: 60_000,
  plan: 420_000,
  separate: 1_800_000,
  render: 1_800_000,
};
/** A worker ends its own attempt first. */
const TIMEOUT_GRACE_MS = 10_000;
export const CIRCUIT_FAILURES = 3;
const MAX_CRASHES_BEFORE_SOLO = 2;
const MAX_SOLO_CRASHES = 2;

export interface ModelSong {
  id: string;
  state: 'good' | 'dropped';
  analysed: boolean;
  /** Which cached stems its card points to; 0: none. */
  stems: number;
}

export interface ModelTask {
  kind: TaskKind;
  song: string | undefined;
  state: 'open' | 'running' | 'done' | 'failed';
  failures: number;
  crashes: number;
  solo: number;
  /** Known once claimed. */
  id?: string;
  claim?: string;
  worker?: string;
  leaseUntil: number;
  /** When its attempt has taken as long as its kind may. */
  deadline: number;
  /** Whether the database showed it ready when last looked at. */
  isReady: boolean;
  /** The attempt whose wake-up was sent away. */
  deferred?: number;
}

export interface ModelJob {
  id: string;
  user: string;
  stage: Stage;
  epoch: number;
  hold: boolean;
  fresh: boolean;
  admitted: boolean;
  entry: 'analyzing' | 'planning';
  songs: ModelSong[];
  hasScores: boolean;
  plan: string[] | undefined;
  stopped: Stage | undefined;
  stageEntered: number;
  tasks: ModelTask[];
}

export interface ModelWorker {
  id: string;
  /** Its session lock is held. */
  alive: boolean;
  seen: number;
  solo?: string;
}

export interface Model {
  now: number;
  jobs: Record<string, ModelJob>;
  workers: Record<string, ModelWorker>;
  /** `scope key` to when it ends. */
  pauses: Record<string, number>;
  circuits: Record<string, { open: boolean; failures: number }>;
  /** `user song` to the number of its cached stems. */
  stems: Record<string, number>;
  nextStems: number;
  /** Why a claimed task was dropped, by task id: what a late worker is told. */
  dropped: Record<string, string>;
  retainedAt: number;
  /** What happened since the counts were taken. */
  hits: string[];
}

/** A model of an empty database. */
export function newModel(): Model {
  const circuits = Object.fromEntries(
    Object.values(SERVICE_OF).map((service) => [service, { open: false, failures: 0 }]),
  );
  return {
    now: 0,
    jobs: {},
    workers: {},
    pauses: {},
    circuits,
    stems: {},
    nextStems: 1,
    dropped: {},
    retainedAt: -Infinity,
    hits: [],
  };
}

export const isTerminal = (stage: Stage): boolean => POSITION[stage] >= 6;
export const isLive = (task: ModelTask): boolean => task.state === 'open' || task.state === 'running';
export const goodSongs = (job: ModelJob): ModelSong[] => job.songs.filter((song) => song.state === 'good');

/** Whether a song's card points to stems that are there. */
export function hasStems(model: Model, job: ModelJob, song: ModelSong): boolean {
  return song.stems !== 0 && model.stems[`${job.user} ${song.id}`] === song.stems;
}

function planHasStems(model: Model, job: ModelJob): boolean {
  return (job.plan ?? []).every((id) => goodSongs(job).some((song) => song.id === id && hasStems(model, job, song)));
}

function makeTask(job: ModelJob, kind: TaskKind, song?: string): void {
  if (job.tasks.some((task) => task.kind === kind && task.song === song && task.state !== 'failed')) return;
  job.tasks.push({
    kind,
    song,
    state: 'open',
    failures: 0,
    crashes: 0,
    solo: 0,
    leaseUntil: 0,
    deadline: Infinity,
    isReady: false,
  });
}

export function makeTasks(model: Model, job: ModelJob): void {
  if (!job.admitted) return;
  if (job.stage === 'analyzing') {
    for (const song of goodSongs(job)) if (!song.analysed) makeTask(job, 'analyze', song.id);
  } else if (job.stage === 'scoring') makeTask(job, 'score');
  else if (job.stage === 'planning' && !job.hold) makeTask(job, 'plan');
  else if (job.stage === 'rendering') makeTask(job, 'render');
  if (!job.hold && ['scoring', 'planning', 'separating'].includes(job.stage)) {
    for (const song of goodSongs(job)) {
      if (hasStems(model, job, song)) continue;
      job.tasks = job.tasks.filter(
        (task) => !(task.kind === 'separate' && task.song === song.id && task.state === 'done'),
      );
      if (song.analysed) makeTask(job, 'separate', song.id);
    }
  }
}

function dropTasks(model: Model, job: ModelJob, reason: string): void {
  for (const task of job.tasks) if (isLive(task) && task.id !== undefined) model.dropped[task.id] = reason;
  job.tasks = reason === 'lost' ? job.tasks.filter((task) => !isLive(task)) : [];
}

/** Makes a move and what follows from it; counts it. */
function move(model: Model, job: ModelJob, to: Stage, kind: string): void {
  model.hits.push(`${job.stage} ${kind} ${to}`);
  const from = job.stage;
  job.stage = to;
  job.stageEntered = model.now;
  if (kind === 'fail' || kind === 'cancel') {
    job.stopped = from;
    job.hold = false;
  }
  if (kind !== 'admit' && kind !== 'advance') {
    job.epoch++;
    dropTasks(model, job, kind === 'fail' ? 'failed' : kind === 'cancel' ? 'cancelled' : 'replayed');
  }
  if (to === 'complete') {
    if (job.tasks.some(isLive)) model.hits.push('task not needed');
    dropTasks(model, job, 'lost');
  }
  if (isTerminal(to) || (kind === 'advance' && to === 'planning' && job.hold)) job.admitted = false;
  if (isTerminal(to)) return;
  makeTasks(model, job);
  if (job.admitted) advance(model, job);
}

export function advance(model: Model, job: ModelJob): void {
  if (!job.admitted || job.stage === 'queued' || isTerminal(job.stage)) return;
  const mine = job.tasks.filter((task) => STAGE_OF[task.kind] === job.stage);
  if (job.stage === 'separating') {
    if (planHasStems(model, job)) move(model, job, 'rendering', 'advance');
    else if (!mine.some(isLive)) makeTasks(model, job);
    return;
  }
  if (mine.some(isLive)) return;
  if (job.stage === 'analyzing') move(model, job, 'scoring', 'advance');
  else if (!mine.some((task) => task.state === 'done')) return;
  else if (job.stage === 'scoring') move(model, job, 'planning', 'advance');
  else if (job.stage === 'planning') move(model, job, 'separating', 'advance');
  else move(model, job, 'complete', 'advance');
}

/** A slot: to where it enters, or on from where its replay waits. */
export function admit(model: Model, job: ModelJob): void {
  job.admitted = true;
  if (job.stage === 'queued') return move(model, job, job.entry, 'admit');
  makeTasks(model, job);
  advance(model, job);
}

/** What a stage misses: the stage to reset to instead. */
function missingFor(model: Model, job: ModelJob, stage: Stage): Stage | undefined {
  const position = POSITION[stage];
  if (position >= 2 && goodSongs(job).some((song) => !song.analysed)) return 'analyzing';
  if (position >= 3 && !job.hasScores) return 'scoring';
  if (position >= 4 && job.plan === undefined) return 'planning';
  if (position >= 5 && !planHasStems(model, job)) return 'separating';
  return undefined;
}

/** A replay, or the engine's own replan. Answers ok or the SQLSTATE of the refusal. */
export function replay(
  model: Model,
  job: ModelJob,
  stage: Stage,
  options: { keep?: boolean; fresh?: boolean; replan?: boolean } = {},
): string {
  if (isTerminal(stage) || (!isTerminal(job.stage) && POSITION[stage] > POSITION[job.stage])) return 'MB001';
  const after = structuredClone(job);
  if (!options.replan) {
    after.fresh = options.fresh === true;
    after.hold = false;
  }
  const position = POSITION[stage];
  if (position <= 3) after.plan = undefined;
  if (position <= 1) {
    for (const song of after.songs) {
      if (!options.keep) Object.assign(song, { state: 'good', analysed: false, stems: 0 });
      else if (song.state === 'dropped') Object.assign(song, { state: 'good', analysed: false, stems: 0 });
    }
  }
  if (position <= 4 && after.fresh) for (const song of after.songs) song.stems = 0;
  if (after.songs.length < 2) {
    if (position >= 3) return 'MB006';
    after.hold = true;
  }
  if (missingFor(model, after, stage) !== undefined) return 'MB003';
  if (stage === 'queued') {
    after.entry = 'analyzing';
    after.admitted = false;
  }
  after.stopped = undefined;
  Object.assign(job, after);
  move(model, job, stage, options.replan ? 'replan' : 'replay');
  return 'ok';
}

export function retry(model: Model, job: ModelJob): string {
  if (job.stage !== 'failed' && job.stage !== 'cancelled') return 'MB001';
  const stage = job.stopped === undefined || job.stopped === 'queued' ? 'analyzing' : job.stopped;
  return replay(model, job, missingFor(model, job, stage) ?? stage, { keep: true });
}

/** By update: an ended job refuses; a cancelled one is left alone. */
export function cancel(model: Model, job: ModelJob): string {
  if (job.stage === 'cancelled') return 'ok';
  if (isTerminal(job.stage)) return 'MB001';
  move(model, job, 'cancelled', 'cancel');
  return 'ok';
}

export function start(model: Model, job: ModelJob): string {
  if (!job.hold) return 'MB009';
  if (goodSongs(job).length < 2) return 'MB006';
  model.hits.push('draft started');
  job.hold = false;
  return 'ok';
}

/** A task's result. `planned`: the songs of a plan. */
export function finishTask(model: Model, job: ModelJob, task: ModelTask, planned: string[]): void {
  release(task, 'done');
  let replan = false;
  const song = job.songs.find((one) => one.id === task.song);
  if (task.kind === 'analyze' && song) {
    song.analysed = true;
    if (!job.fresh) song.stems = model.stems[`${job.user} ${song.id}`] ?? 0;
  } else if (task.kind === 'score') job.hasScores = true;
  else if (task.kind === 'plan') {
    job.plan = planned;
    replan = planned.some((id) => !goodSongs(job).some((one) => one.id === id));
  } else if (task.kind === 'separate' && song) {
    song.stems = model.stems[`${job.user} ${song.id}`] ??= model.nextStems++;
  }
  noteOk(model, task.kind);
  if (replan) replay(model, job, 'planning', { replan: true });
  else advance(model, job);
}

function release(task: ModelTask, state: ModelTask['state']): void {
  task.state = state;
  delete task.claim;
  delete task.worker;
  task.deadline = Infinity;
}

export function noteOk(model: Model, kind: TaskKind): void {
  const circuit = model.circuits[SERVICE_OF[kind]];
  if (circuit?.open) model.hits.push('circuit closed');
  model.circuits[SERVICE_OF[kind]] = { open: false, failures: 0 };
}

/** A fault of a class. Answers retrying or failed. */
export function failTask(model: Model, job: ModelJob, task: ModelTask, faultClass: string, isProbe: boolean): string {
  const circuit = model.circuits[SERVICE_OF[task.kind]];
  const isAway = faultClass === 'unavailable' || faultClass === 'overloaded';
  if (circuit && isAway) {
    circuit.failures++;
    if (isProbe && circuit.open) model.hits.push('probe failed');
    if (!circuit.open && circuit.failures >= CIRCUIT_FAILURES) {
      circuit.open = true;
      model.hits.push('circuit opened');
    }
  } else if (isProbe) noteOk(model, task.kind);
  return endAttempt(model, job, task, faultClass === 'permanent', !(isAway && circuit?.open === true));
}

/** The end of an attempt: another one, or the end of task, song or job. */
export function endAttempt(model: Model, job: ModelJob, task: ModelTask, permanent: boolean, counts: boolean): string {
  task.failures += Number(counts);
  if (!permanent && task.failures < MAX_ATTEMPTS[task.kind]) {
    release(task, 'open');
    return 'retrying';
  }
  release(task, 'failed');
  if (!permanent) model.hits.push('out of attempts');
  if (task.song === undefined || goodSongs(job).length - 1 < 2) {
    move(model, job, 'failed', 'fail');
    return 'failed';
  }
  model.hits.push('song dropped');
  const song = job.songs.find((one) => one.id === task.song);
  if (song) song.state = 'dropped';
  job.tasks = job.tasks.filter((other) => !(other.song === task.song && other.state === 'open'));
  if (job.plan?.includes(task.song)) replay(model, job, 'planning', { replan: true });
  else advance(model, job);
  return 'failed';
}

export function freeTask(task: ModelTask): void {
  release(task, 'open');
}

/** One round of upkeep, by the model's clock. */
export function sweep(model: Model): void {
  const isDead = (worker: ModelWorker): boolean =>
    worker.seen < model.now - 30_000 || (worker.seen < model.now - 1_000 && !worker.alive);
  const running = Object.values(model.jobs)
    .flatMap((job) =>
      job.tasks.filter((task) => task.state === 'running').map((task) => ({ job, task, claim: task.claim })),
    )
    .sort((a, b) => Number(BigInt(a.task.id ?? 0) - BigInt(b.task.id ?? 0)));
  for (const { job, task, claim } of running) {
    if (task.state !== 'running' || task.claim !== claim || !job.tasks.includes(task)) continue;
    const worker = model.workers[task.worker ?? ''];
    const dead = worker === undefined || isDead(worker);
    if (dead || task.leaseUntil < model.now) {
      model.hits.push(
        dead ? (worker?.alive === false ? 'crash: lock free' : 'crash: silent worker') : 'crash: lease over',
      );
      task.solo += Number(task.crashes >= MAX_CRASHES_BEFORE_SOLO);
      task.crashes++;
      if (task.solo >= MAX_SOLO_CRASHES) {
        model.hits.push('task kills workers');
        endAttempt(model, job, task, true, true);
      } else freeTask(task);
    } else if (task.deadline < model.now - TIMEOUT_GRACE_MS) {
      model.hits.push('task timeout');
      endAttempt(model, job, task, false, true);
    }
  }
  for (const worker of Object.values(model.workers)) if (isDead(worker)) delete model.workers[worker.id];
  if (model.retainedAt <= model.now - 60_000) {
    model.retainedAt = model.now;
    for (const job of Object.values(model.jobs)) {
      if (job.stage === 'planning' && job.hold && !job.admitted && job.stageEntered < model.now - 24 * 3_600_000) {
        model.hits.push('draft expired');
        cancel(model, job);
      }
    }
  }
}

/** Whether a pause keeps a task of this kind from starting. */
export function isPaused(model: Model, job: ModelJob, kind: TaskKind): boolean {
  return [`system `, `user ${job.user}`, `job ${job.id}`, `kind ${kind}`, `service ${SERVICE_OF[kind]}`].some(
    (key) => (model.pauses[key] ?? -Infinity) > model.now,
  );
}

/**
 * The rules of the state machine a second time, in plain TypeScript, without locks, rows or clock. Two things are not
 * predicted but taken from the database: when a waiting job gets a slot, and when a waiting task becomes ready.
 */
import { CIRCUITS, STAGES, TASK_KIND_DEFINITIONS, TERMINAL_STAGES } from '../../schema.ts';
import type { CircuitName, ServiceName, Stage, TaskKind } from '../../schema.ts';

/** The order of the stages. */
export const POSITION = Object.fromEntries(STAGES.map((stage, position) => [stage, position])) as Record<Stage, number>;
const byKind = <T>(read: (definition: (typeof TASK_KIND_DEFINITIONS)[number]) => T): Record<TaskKind, T> =>
  Object.fromEntries(TASK_KIND_DEFINITIONS.map((one) => [one.kind, read(one)])) as Record<TaskKind, T>;
export const SERVICE_OF: Record<TaskKind, ServiceName> = byKind((one) => one.service);
export const USES_STORAGE: Record<TaskKind, boolean> = byKind((one) => one.usesStorage === true);
export const STAGE_OF: Record<TaskKind, Stage> = byKind((one) => one.stage);
export const MAX_ATTEMPTS: Record<TaskKind, number> = byKind((one) => one.maxAttempts);
/** Longest time of an attempt. */
export const TIMEOUT_MS: Record<TaskKind, number> = byKind((one) => one.timeoutSec * 1000);
/** The sweep waits this long for the worker to end its own attempt. */
const TIMEOUT_GRACE_MS = 10_000;
export const CIRCUIT_FAILURES = 3;
const MAX_CRASHES_BEFORE_SOLO = 2;
const MAX_SOLO_CRASHES = 2;

export interface ModelSong {
  id: string;
  state: 'active' | 'excluded';
  analysed: boolean;
  /** Which cached stems its card points to; 0: none. */
  stems: number;
}

export interface ModelTask {
  kind: TaskKind;
  song: string | undefined;
  /** Whether it is one of a studio version. */
  isStudio: boolean;
  state: 'open' | 'running' | 'done' | 'failed';
  failures: number;
  crashes: number;
  solo: number;
  /** Known once claimed. */
  id?: string;
  claim?: string;
  worker?: string;
  leaseUntil: number;
  /** When the attempt exceeds the time of its kind. */
  deadline: number;
  /** Whether it was ready in the last snapshot. */
  isReady: boolean;
  /** The claim that renders the opening. */
  opening?: string;
  /** The attempt whose queue entry was deferred. */
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
  /** Whether a studio version is wanted, and its state. */
  wantsStudio: boolean;
  studio?: 'separating' | 'rendering' | 'ready' | 'failed' | 'cancelled';
  /** Whether a song of the result has classical stems. */
  isClassical: boolean;
  stopped: Stage | undefined;
  /** The epoch that began because stems were missing. */
  remade?: number;
  /** The claim whose playable parts the row names, how many, and whether they are those of the opening. */
  playable?: { claim: string; parts: number; isOpening: boolean };
  /** Its public link: the token; none if it has none. */
  link?: string;
  stageEntered: number;
  tasks: ModelTask[];
}

export interface ModelWorker {
  id: string;
  /** Whether its session lock is held. */
  alive: boolean;
  seen: number;
  solo?: string;
}

export interface Model {
  now: number;
  jobs: Record<string, ModelJob>;
  workers: Record<string, ModelWorker>;
  /** End of each pause, by `scope key`. */
  pauses: Record<string, number>;
  circuits: Record<string, { open: boolean; failures: number }>;
  /** Whether all songs are separated whole before planning; otherwise only those of drafts. */
  isSeparatedEarly: boolean;
  /** The cached stems, by `user song model`: their number, and whether they are whole or what a plan plays of the song. */
  stems: Record<string, { id: number; whole: boolean }>;
  nextStems: number;
  /** Why a claimed task was dropped, by task id. A late worker gets this status. */
  dropped: Record<string, string>;
  purgedAt: number;
  /** What happened since the last count. */
  hits: string[];
}

/** Returns a model of an empty database. */
export function newModel(isSeparatedEarly = false): Model {
  const circuits = Object.fromEntries(CIRCUITS.map((service) => [service, { open: false, failures: 0 }]));
  return {
    now: 0,
    jobs: {},
    workers: {},
    pauses: {},
    circuits,
    stems: {},
    nextStems: 1,
    isSeparatedEarly,
    dropped: {},
    purgedAt: -Infinity,
    hits: [],
  };
}

export const isTerminal = (stage: Stage): boolean => TERMINAL_STAGES.includes(stage);
export const isLive = (task: ModelTask): boolean => task.state === 'open' || task.state === 'running';
export const activeSongs = (job: ModelJob): ModelSong[] => job.songs.filter((song) => song.state === 'active');

/** Models of separations. The service uses the classical one unless it is asked for the other. */
const MODELS = ['neural', 'classical'] as const;
type SeparationModel = (typeof MODELS)[number];

export const isStudioLive = ({ studio }: ModelJob): boolean => studio === 'separating' || studio === 'rendering';

/** The models whose stems a job uses, the preferred one first. */
function wantedModels(job: ModelJob): readonly SeparationModel[] {
  if (isStudioLive(job)) return ['neural'];
  return job.wantsStudio ? MODELS : ['classical'];
}

const keyOf = (job: ModelJob, song: ModelSong, model: SeparationModel): string => `${job.user} ${song.id} ${model}`;

/** The model of the existing stems, whole or of a part of the song, that a song's card points to. */
function modelOf({ stems }: Model, job: ModelJob, song: ModelSong): SeparationModel | undefined {
  return song.stems === 0 ? undefined : MODELS.find((model) => stems[keyOf(job, song, model)]?.id === song.stems);
}

/** Deletes the stems that a song's card points to. */
function deleteStems(model: Model, job: ModelJob, song: ModelSong): void {
  const found = modelOf(model, job, song);
  if (found) delete model.stems[keyOf(job, song, found)];
}

/** Whether a job needs only a part of a song: its plan plays a part of its last song. */
const needsPart = (model: Model, { plan }: ModelJob, { id }: ModelSong): boolean =>
  !model.isSeparatedEarly && plan?.at(-1) === id;

/** Whether the stems of a song hold what a job needs of it. */
function hasNeededStems(model: Model, job: ModelJob, song: ModelSong): boolean {
  const found = modelOf(model, job, song);
  if (!found || !wantedModels(job).includes(found)) return false;
  return model.stems[keyOf(job, song, found)]?.whole === true || needsPart(model, job, song);
}

function planHasStems(model: Model, job: ModelJob): boolean {
  return (job.plan ?? []).every((id) =>
    activeSongs(job).some((song) => song.id === id && hasNeededStems(model, job, song)),
  );
}

function createTask(job: ModelJob, kind: TaskKind, song?: string): void {
  if (job.tasks.some((task) => task.kind === kind && task.song === song && task.state !== 'failed')) return;
  job.tasks.push({
    kind,
    song,
    isStudio: isStudioLive(job),
    state: 'open',
    failures: 0,
    crashes: 0,
    solo: 0,
    leaseUntil: 0,
    deadline: Infinity,
    isReady: false,
  });
}

export function createTasks(model: Model, job: ModelJob): void {
  if (!job.admitted) return;
  if (job.stage === 'analyzing') {
    for (const song of activeSongs(job)) if (!song.analysed) createTask(job, 'analyze', song.id);
  } else if (job.stage === 'scoring') createTask(job, 'score');
  else if (job.stage === 'planning' && !job.hold) createTask(job, 'plan');
  else if (job.stage === 'rendering') createTask(job, 'render');
  const isEarly = (job.hold || model.isSeparatedEarly) && ['scoring', 'planning'].includes(job.stage);
  if (isEarly || job.stage === 'separating') {
    for (const song of activeSongs(job)) {
      if ((job.plan && !job.plan.includes(song.id)) || hasNeededStems(model, job, song)) continue;
      job.tasks = job.tasks.filter(
        (task) => !(task.kind === 'separate' && task.song === song.id && task.state === 'done'),
      );
      if (song.analysed) createTask(job, 'separate', song.id);
    }
  }
}

function dropTasks(model: Model, job: ModelJob, reason: string): void {
  for (const task of job.tasks) if (isLive(task) && task.id !== undefined) model.dropped[task.id] = reason;
  job.tasks = reason === 'lost' ? job.tasks.filter((task) => !isLive(task)) : [];
}

/** Makes a transition and what follows from it; counts it. */
function transition(model: Model, job: ModelJob, to: Stage, kind: string): void {
  model.hits.push(`${job.stage} ${kind} ${to}`);
  const from = job.stage;
  job.stage = to;
  job.stageEntered = model.now;
  if (kind !== 'advance' || to !== 'rendering') delete job.playable;
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
  if (to === 'complete') beginStudioVersion(model, job);
  if (isTerminal(to)) return;
  createTasks(model, job);
  if (job.admitted) advance(model, job);
}

function beginStudioVersion(model: Model, job: ModelJob): void {
  if (!job.wantsStudio || !job.isClassical) return;
  model.hits.push('studio version begun');
  job.epoch++;
  job.studio = 'separating';
  job.tasks = [];
  advanceStudioVersion(model, job);
}

function advanceStudioVersion(model: Model, job: ModelJob): void {
  if (job.tasks.some((task) => task.isStudio && isLive(task))) return;
  if (job.studio === 'rendering') {
    model.hits.push('studio version ready');
    job.studio = 'ready';
    return;
  }
  const missing = activeSongs(job).filter(
    (song) => job.plan?.includes(song.id) === true && !hasNeededStems(model, job, song),
  );
  if (missing.length === 0) {
    job.studio = 'rendering';
    createTask(job, 'render');
  } else if (missing.some((song) => job.tasks.some((task) => task.isStudio && task.song === song.id)))
    endStudioVersion(model, job, 'failed');
  else for (const song of missing) if (song.analysed) createTask(job, 'separate', song.id);
}

function endStudioVersion(model: Model, job: ModelJob, state: 'failed' | 'cancelled'): void {
  model.hits.push(`studio version ${state}`);
  for (const task of job.tasks)
    if (task.isStudio && isLive(task) && task.id !== undefined) model.dropped[task.id] = state;
  job.tasks = job.tasks.filter((task) => !(task.isStudio && isLive(task)));
  job.studio = state;
}

export function advance(model: Model, job: ModelJob): void {
  if (!job.admitted || job.stage === 'queued' || isTerminal(job.stage)) return;
  const mine = job.tasks.filter((task) => STAGE_OF[task.kind] === job.stage);
  if (job.stage === 'separating') {
    if (planHasStems(model, job)) transition(model, job, 'rendering', 'advance');
    else if (!mine.some(isLive)) createTasks(model, job);
    return;
  }
  if (mine.some(isLive)) return;
  if (job.stage === 'analyzing') transition(model, job, 'scoring', 'advance');
  else if (!mine.some((task) => task.state === 'done')) return;
  else if (job.stage === 'scoring') transition(model, job, 'planning', 'advance');
  else if (job.stage === 'planning') transition(model, job, 'separating', 'advance');
  else transition(model, job, 'complete', 'advance');
}

/** Gives a slot to a job: it enters its first stage, or continues a replay. */
export function admit(model: Model, job: ModelJob): void {
  job.admitted = true;
  if (job.stage === 'queued') return transition(model, job, job.entry, 'admit');
  createTasks(model, job);
  advance(model, job);
}

/** Returns the stage to reset to if a prerequisite of a stage is missing. */
function missingPrerequisite(model: Model, job: ModelJob, stage: Stage): Stage | undefined {
  const position = POSITION[stage];
  if (position > POSITION.analyzing && activeSongs(job).some((song) => !song.analysed)) return 'analyzing';
  if (position > POSITION.scoring && !job.hasScores) return 'scoring';
  if (position > POSITION.planning && job.plan === undefined) return 'planning';
  if (position > POSITION.separating && !planHasStems(model, job)) return 'separating';
  return undefined;
}

/** A replay, or the engine's replan. Returns ok or the SQLSTATE of the refusal. */
export function replay(
  model: Model,
  job: ModelJob,
  stage: Stage,
  options: { keep?: boolean; fresh?: boolean; by?: 'replan' | 'remake' } = {},
): string {
  if (isTerminal(stage) || (!isTerminal(job.stage) && POSITION[stage] > POSITION[job.stage])) return 'MB001';
  const after = structuredClone(job);
  if (isStudioLive(job)) model.hits.push('studio version replayed');
  after.studio = undefined;
  if (!options.by) {
    after.fresh = options.fresh === true;
    after.hold = false;
  }
  const position = POSITION[stage];
  if (position <= POSITION.planning) after.plan = undefined;
  if (position <= POSITION.analyzing) {
    for (const song of after.songs) {
      if (!options.keep) Object.assign(song, { state: 'active', analysed: false, stems: 0 });
      else if (song.state === 'excluded') Object.assign(song, { state: 'active', analysed: false, stems: 0 });
    }
  }
  if (position <= POSITION.separating && after.fresh) for (const song of after.songs) song.stems = 0;
  if (after.songs.length < 2) {
    if (position > POSITION.scoring) return 'MB006';
    after.hold = true;
  }
  if (missingPrerequisite(model, after, stage) !== undefined) return 'MB003';
  if (stage === 'queued') {
    after.entry = 'analyzing';
    after.admitted = false;
  }
  after.stopped = undefined;
  Object.assign(job, after);
  transition(model, job, stage, options.by ?? 'replay');
  return 'ok';
}

export function retry(model: Model, job: ModelJob): string {
  if (job.stage !== 'failed' && job.stage !== 'cancelled') return 'MB001';
  const stage = job.stopped === undefined || job.stopped === 'queued' ? 'analyzing' : job.stopped;
  return replay(model, job, missingPrerequisite(model, job, stage) ?? stage, { keep: true });
}

/** A cancellation: an ended job refuses it, a cancelled one stays as it is. `byUpdate`: not of a studio version. */
export function cancel(model: Model, job: ModelJob, byUpdate = false): string {
  if (isStudioLive(job) && !byUpdate) {
    endStudioVersion(model, job, 'cancelled');
    return 'ok';
  }
  if (job.stage === 'cancelled') return 'ok';
  if (isTerminal(job.stage)) return 'MB001';
  transition(model, job, 'cancelled', 'cancel');
  return 'ok';
}

export function start(model: Model, job: ModelJob): string {
  if (!job.hold) return 'MB009';
  if (activeSongs(job).length < 2) return 'MB006';
  model.hits.push('draft started');
  job.hold = false;
  return 'ok';
}

/** Finishes a task. `planned`: the songs of the plan. */
export function finishTask(model: Model, job: ModelJob, task: ModelTask, planned: string[]): void {
  closeAttempt(task, 'done');
  let replan = false;
  const song = job.songs.find((one) => one.id === task.song);
  if (task.kind === 'analyze' && song) {
    song.analysed = true;
    if (!job.fresh)
      song.stems =
        wantedModels(job)
          .map((wanted) => model.stems[keyOf(job, song, wanted)]?.id)
          .find((id) => id !== undefined) ?? 0;
  } else if (task.kind === 'score') job.hasScores = true;
  else if (task.kind === 'plan') {
    job.plan = planned;
    replan = planned.some((id) => !activeSongs(job).some((one) => one.id === id));
  } else if (task.kind === 'separate' && song) {
    const key = keyOf(job, song, task.isStudio ? 'neural' : 'classical');
    const stems = (model.stems[key] ??= { id: model.nextStems++, whole: false });
    song.stems = stems.id;
    // A fresh run replaces what is cached.
    stems.whole = !needsPart(model, job, song) || (stems.whole && !job.fresh);
    if (!stems.whole) model.hits.push('part separated');
  } else if (task.kind === 'render')
    job.isClassical = activeSongs(job).some(
      (one) => job.plan?.includes(one.id) === true && modelOf(model, job, one) === 'classical',
    );
  recordSuccess(model, task.kind);
  if (task.isStudio) advanceStudioVersion(model, job);
  else if (replan) replay(model, job, 'planning', { by: 'replan' });
  else advance(model, job);
}

function closeAttempt(task: ModelTask, state: ModelTask['state']): void {
  task.state = state;
  delete task.claim;
  delete task.worker;
  task.deadline = Infinity;
}

/** A finished task shows that its service answers, and Storage if its kind uses it. */
function recordSuccess(model: Model, kind: TaskKind): void {
  closeCircuit(model, SERVICE_OF[kind]);
  if (USES_STORAGE[kind]) closeCircuit(model, 'storage');
}

function closeCircuit(model: Model, service: CircuitName): void {
  if (model.circuits[service]?.open) model.hits.push(service === 'storage' ? 'storage is back' : 'circuit closed');
  model.circuits[service] = { open: false, failures: 0 };
}

/**
 * A fault of an attempt: its class, the service to blame (default: that of the kind), the circuits it is the probe of, and
 * whether it spends an attempt (default).
 */
export interface Fault {
  faultClass: string;
  probes: readonly CircuitName[];
  blamed?: CircuitName;
  spends?: boolean;
}

/** Ends an attempt with a fault. Returns retrying or failed. */
export function failTask(model: Model, job: ModelJob, task: ModelTask, fault: Fault): string {
  const { faultClass, probes, blamed = SERVICE_OF[task.kind] } = fault;
  const circuit = model.circuits[blamed];
  const isUnavailable = ['unavailable', 'overloaded', 'refused'].includes(faultClass);
  if (circuit && isUnavailable) {
    circuit.failures++;
    if (probes.includes(blamed) && circuit.open) model.hits.push('probe failed');
    if (!circuit.open && (faultClass === 'refused' || circuit.failures >= CIRCUIT_FAILURES)) {
      circuit.open = true;
      model.hits.push(blamed === 'storage' ? 'storage failed' : 'circuit opened');
    }
  } else for (const probe of probes) closeCircuit(model, probe);
  const spends = fault.spends !== false && !(isUnavailable && circuit?.open === true);
  return endAttempt(model, job, task, faultClass === 'permanent', spends);
}

/** A render finds the files of a song's stems missing: they are made again, once in a run. Returns remaking or failed. */
export function reportMissingStems(model: Model, job: ModelJob, task: ModelTask, song: ModelSong): string {
  deleteStems(model, job, song);
  if (task.isStudio) return endAttempt(model, job, task, true, true);
  if (job.remade === job.epoch) {
    model.hits.push('stems missing twice');
    return endAttempt(model, job, task, true, true);
  }
  song.stems = 0;
  job.remade = job.epoch + 1;
  replay(model, job, 'separating', { by: 'remake' });
  return 'remaking';
}

/** Ends an attempt: another one follows, or the task, its song or its job ends. */
export function endAttempt(model: Model, job: ModelJob, task: ModelTask, permanent: boolean, counts: boolean): string {
  task.failures += Number(counts);
  if (!permanent && task.failures < MAX_ATTEMPTS[task.kind]) {
    closeAttempt(task, 'open');
    return 'retrying';
  }
  closeAttempt(task, 'failed');
  if (!permanent) model.hits.push('out of attempts');
  if (task.isStudio) {
    endStudioVersion(model, job, 'failed');
    return 'failed';
  }
  if (task.song === undefined || activeSongs(job).length - 1 < 2) {
    transition(model, job, 'failed', 'fail');
    return 'failed';
  }
  model.hits.push('song excluded');
  const song = job.songs.find((one) => one.id === task.song);
  if (song) song.state = 'excluded';
  job.tasks = job.tasks.filter((other) => !(other.song === task.song && other.state === 'open'));
  if (job.plan?.includes(task.song)) replay(model, job, 'planning', { by: 'replan' });
  else advance(model, job);
  return 'failed';
}

export function requeueTask(task: ModelTask): void {
  closeAttempt(task, 'open');
}

/** One sweep, by the clock of the model. */
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
        dead ? (worker?.alive === false ? 'crash: lock free' : 'crash: silent worker') : 'crash: lease expired',
      );
      // An expired lease alone does not show that the worker has ended.
      task.solo += Number(dead && task.crashes >= MAX_CRASHES_BEFORE_SOLO);
      task.crashes += Number(dead);
      if (dead && task.solo >= MAX_SOLO_CRASHES) {
        model.hits.push('task kills workers');
        endAttempt(model, job, task, true, true);
      } else requeueTask(task);
    } else if (task.deadline < model.now - TIMEOUT_GRACE_MS) {
      model.hits.push('task timeout');
      endAttempt(model, job, task, false, true);
    }
  }
  for (const worker of Object.values(model.workers)) if (isDead(worker)) delete model.workers[worker.id];
  if (model.purgedAt <= model.now - 60_000) {
    model.purgedAt = model.now;
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
  const keys = [`system `, `user ${job.user}`, `job ${job.id}`, `kind ${kind}`, `service ${SERVICE_OF[kind]}`];
  if (USES_STORAGE[kind]) keys.push('service storage');
  return keys.some((key) => (model.pauses[key] ?? -Infinity) > model.now);
}

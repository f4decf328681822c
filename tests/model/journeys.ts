/** Short stories that lead to a certain move: without them chance would seldom come to the far ends of the machine. */
import type { Stage } from '../../schema.ts';
import { isTerminal, type ModelJob, POSITION } from './model.ts';
import * as misfortune from './misfortunes.ts';
import * as operation from './operations.ts';
import { type Claim, held, type State } from './operations.ts';
import { choose, isProbe, jobsOf, type Turn, type Turns, upkeep } from './turns.ts';

type Journey =
  | { tale: 'replay' | 'cancel' | 'fail'; from: Stage; to: Stage }
  | {
      tale:
        | 'replan planning'
        | 'replan separating'
        | 'deadly task'
        | 'slow task'
        | 'old draft'
        | 'outage'
        | 'long outage'
        | 'three songs'
        | 'alone';
    };

const LIVE: Stage[] = ['queued', 'analyzing', 'scoring', 'planning', 'separating', 'rendering'];
const ENDS: Stage[] = ['complete', 'failed', 'cancelled'];

/** Every legal move that an operator or a fault makes, and the tales that chance seldom tells. */
export const JOURNEYS: readonly Journey[] = [
  ...LIVE.flatMap((from) =>
    LIVE.filter((to) => POSITION[to] <= POSITION[from]).map((to): Journey => ({ tale: 'replay', from, to })),
  ),
  ...ENDS.flatMap((from) => LIVE.map((to): Journey => ({ tale: 'replay', from, to }))),
  ...LIVE.map((from): Journey => ({ tale: 'cancel', from, to: 'cancelled' })),
  ...LIVE.slice(1).map((from): Journey => ({ tale: 'fail', from, to: 'failed' })),
  { tale: 'replan planning' },
  { tale: 'replan separating' },
  { tale: 'deadly task' },
  { tale: 'slow task' },
  { tale: 'old draft' },
  { tale: 'outage' },
  { tale: 'long outage' },
  { tale: 'three songs' },
  { tale: 'alone' },
];

/** Tells one journey. Where the world does not allow it (all is paused, say) the tale ends early. */
export function* travel(state: State, journey: Journey, other: number): Turns {
  yield* makeReady(state);
  switch (journey.tale) {
    case 'replay':
    case 'cancel':
    case 'fail':
      return yield* visit(state, journey.tale, journey.from, journey.to, other);
    case 'replan planning':
    case 'replan separating':
      return yield* replan(state, journey.tale === 'replan planning', other);
    case 'deadly task':
    case 'slow task':
      return yield* endByUpkeep(state, journey.tale === 'deadly task', other);
    case 'old draft':
      return yield* oldDraft(state, other);
    case 'outage':
    case 'long outage':
      return yield* outage(state, journey.tale === 'long outage', other);
    case 'three songs':
      return yield* loseSong(state, other);
    case 'alone':
      return yield* alone(state, other);
  }
}

/** Resumes what is paused and lets held claims go, now and then, so that tales have a stage to play on. */
function* makeReady(state: State): Turns {
  for (const which of Object.keys(state.model.pauses)) yield operation.resume(which);
  if (!state.model.workers[state.driver]?.alive) yield misfortune.hireWorker(state, true);
  if (state.crew.filter((id) => state.model.workers[id]?.alive).length < 2) yield misfortune.hireWorker(state);
  if (state.owed.release || Object.values(state.model.circuits).some((circuit) => circuit.open))
    yield* upkeep(state, 400_000);
  for (const claim of state.claims.filter((one) => held(state.model, one))) yield operation.finish(claim, false);
}

const current = (state: State, job: ModelJob | undefined): ModelJob | undefined => job && state.model.jobs[job.id];

/** A fresh job, given a slot; older jobs of the slot's holders give way. */
function* freshJob(
  state: State,
  count: number,
  isDraft: boolean,
  other: number,
): Generator<Turn | undefined, ModelJob | undefined> {
  const busy = jobsOf(state.model).filter((job) => job.admitted);
  for (const job of busy) {
    if (busy.length < 2 && job.user !== state.world.users[0]) break;
    yield operation.cancelJob(job.id, true);
  }
  for (const job of jobsOf(state.model)) {
    if (!job.admitted && !isTerminal(job.stage) && current(state, job)) yield operation.cancelJob(job.id, false);
  }
  const before = new Set(Object.keys(state.model.jobs));
  yield operation.submit(choose(state.world.users, other) ?? '', count, isDraft);
  return jobsOf(state.model).find((job) => !before.has(job.id));
}

/** A job that can be driven to a stage: one that is on its way there, else a replayed one, else a new one. */
function* jobIn(state: State, stage: Stage, other: number): Generator<Turn | undefined, ModelJob | undefined> {
  const running = jobsOf(state.model).filter((job) => job.admitted && !job.hold);
  let job = choose(
    running.filter((one) => POSITION[one.stage] <= POSITION[stage]),
    other,
  );
  if (!job) {
    const late = choose(running, other);
    if (late && stage !== 'separating') {
      yield operation.replayJob(late.id, stage, 'update');
      job = current(state, late);
    } else job = yield* freshJob(state, 2, false, other);
  }
  if (job && job.stage !== stage) yield operation.drive(job.id, stage, state.driver);
  job = current(state, job);
  return job?.stage === stage ? job : undefined;
}

/** A job that waits in the queue, its user being paused. */
function* queuedJob(state: State, other: number): Generator<Turn | undefined, ModelJob | undefined> {
  const waiting = choose(
    jobsOf(state.model).filter((job) => job.stage === 'queued'),
    other,
  );
  if (waiting) return waiting;
  const user = choose(state.world.users, other) ?? '';
  yield operation.pause('user', user, undefined);
  const before = new Set(Object.keys(state.model.jobs));
  yield operation.submit(user, 2, false);
  return jobsOf(state.model).find((job) => !before.has(job.id));
}

function* claimOf(
  state: State,
  job: ModelJob,
  kind?: string,
  song?: string,
): Generator<Turn | undefined, Claim | undefined> {
  const task = state.picture.tasks.find(
    (one) =>
      one.job === job.id &&
      one.state === 'ready' &&
      (kind === undefined || one.kind === kind) &&
      (song === undefined || one.song === song),
  );
  const worker = state.crew.find((id) => state.model.workers[id]?.alive);
  if (!task || worker === undefined) return undefined;
  yield operation.claim(task, worker, false);
  return state.claims.find((claim) => claim.id === task.id && held(state.model, claim));
}

const KIND_IN: Partial<Record<Stage, string>> = {
  analyzing: 'analyze',
  scoring: 'score',
  planning: 'plan',
  separating: 'separate',
  rendering: 'render',
};

function* failIn(state: State, stage: Stage, other: number): Generator<Turn | undefined, ModelJob | undefined> {
  const job = yield* jobIn(state, stage, other);
  const claim = job && (yield* claimOf(state, job, KIND_IN[stage]));
  if (claim) yield operation.fail(claim, 'permanent', isProbe(state, claim));
  return current(state, job);
}

function* visit(state: State, tale: 'replay' | 'cancel' | 'fail', from: Stage, to: Stage, other: number): Turns {
  if (tale === 'fail') {
    yield* failIn(state, from, other);
    return;
  }
  let job: ModelJob | undefined;
  if (from === 'queued') job = yield* queuedJob(state, other);
  else if (isTerminal(from)) {
    // Whatever ended that way and still has what the stage needs; else a run to the end.
    job = choose(
      jobsOf(state.model).filter((one) => one.stage === from && POSITION[to] <= POSITION.analyzing),
      other,
    );
    if (!job && from === 'complete') job = yield* jobIn(state, 'complete', other);
    else if (!job && from === 'failed') job = yield* failIn(state, 'rendering', other);
    else if (!job) {
      job = yield* jobIn(state, 'rendering', other);
      if (job) yield operation.cancelJob(job.id, true);
    }
  } else job = yield* jobIn(state, from, other);
  job = current(state, job);
  if (!job || job.stage !== from) return;
  yield tale === 'cancel'
    ? operation.cancelJob(job.id, other % 2 === 0)
    : operation.replayJob(job.id, to, (['update', 'update', 'verb', 'fresh'] as const)[other % 4] ?? 'update');
}

/** A song's separation fails for good while the plan is made with it, or after. */
function* replan(state: State, isPlanning: boolean, other: number): Turns {
  const job = yield* freshJob(state, 3, false, other);
  if (!job) return;
  yield operation.drive(job.id, isPlanning ? 'planning' : 'separating', state.driver);
  const plan = isPlanning ? yield* claimOf(state, job, 'plan') : undefined;
  const separate = yield* claimOf(state, job, 'separate');
  if (separate) yield operation.fail(separate, 'permanent', isProbe(state, separate));
  if (plan) yield operation.finish(plan, false);
}

/** A task that kills its workers or takes too long is ended by the sweep. */
function* endByUpkeep(state: State, isDeadly: boolean, other: number): Turns {
  const job = yield* jobIn(state, 'rendering', other);
  const claim = job && (yield* claimOf(state, job));
  if (!claim) return;
  const worker = held(state.model, claim)?.task.worker;
  if (isDeadly && worker !== undefined) {
    yield misfortune.wear(claim);
    yield misfortune.killWorker(state, worker);
    state.crew = state.crew.filter((id) => id !== worker);
    yield misfortune.hireWorker(state);
  } else yield misfortune.makeLate(claim);
  yield* upkeep(state, 2_000);
}

function* oldDraft(state: State, other: number): Turns {
  const job = yield* freshJob(state, 1 + (other % 3), true, other);
  if (!job) return;
  yield operation.drive(job.id, 'complete', state.driver);
  yield* upkeep(state, 25 * 3_600_000);
}

/** A service goes away: its circuit opens, and a probe, or patience, carries on. */
function* outage(state: State, isLong: boolean, other: number): Turns {
  const stage = isLong ? 'planning' : (choose(['analyzing', 'planning', 'rendering'] as const, other) ?? 'planning');
  const job = yield* jobIn(state, stage, other);
  const kind = KIND_IN[stage] ?? '';
  const claim = job && (yield* claimOf(state, job, kind));
  if (!claim) return;
  yield misfortune.strain(
    { analyze: 'analysis', plan: 'orchestrator', render: 'processing' }[kind] ?? '',
    isLong ? 8 : 0,
  );
  yield operation.fail(claim, 'unavailable', isProbe(state, claim));
  yield* upkeep(state, 65_000);
  const again = yield* claimOf(state, job, kind);
  if (!again) return;
  yield other % 2 === 0 ? operation.fail(again, 'unavailable', isProbe(state, again)) : operation.finish(again, false);
}

/** One song of three is left out. */
function* loseSong(state: State, other: number): Turns {
  const job = yield* freshJob(state, 3, false, other);
  const claim = job && (yield* claimOf(state, job, 'analyze'));
  if (claim) yield operation.fail(claim, 'permanent', isProbe(state, claim));
  if (job && other % 2 === 0) yield operation.drive(job.id, 'complete', state.driver);
}

/** A task that has cost workers waits until its worker does nothing else. */
function* alone(state: State, other: number): Turns {
  const job = yield* freshJob(state, 2, false, other);
  const first = job && (yield* claimOf(state, job, 'analyze'));
  if (!first) return;
  yield misfortune.wear(first);
  yield operation.handBack(first);
  const song = first.song ?? undefined;
  const second = state.picture.tasks.find(
    (task) => task.job === job.id && task.kind === 'analyze' && task.song !== song,
  );
  const claim = second && (yield* claimOf(state, job, 'analyze', second.song ?? undefined));
  const third: Claim | undefined = yield* claimOf(state, job, 'analyze', song);
  if (claim && third === undefined) yield operation.finish(claim, false);
}

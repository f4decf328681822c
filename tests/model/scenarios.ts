/** Scenarios that lead to certain transitions. Random commands alone would reach these too rarely. */
import { REPLAY_STAGES, TASK_KIND_DEFINITIONS } from '../../schema.ts';
import type { Stage } from '../../schema.ts';
import { isTerminal, MAX_ATTEMPTS, type ModelJob, POSITION } from './model.ts';
import * as fault from './fault-commands.ts';
import * as operation from './operations.ts';
import { type Claim, held, type State } from './operations.ts';
import { choose, faultOf, liveWorkers, jobsOf, type Step, type Steps, sweepAfter } from './steps.ts';

type Scenario = (state: State, other: number) => Steps;

const times = (count: number, scenario: Scenario): Scenario[] => Array.from({ length: count }, () => scenario);

/** Every replay of a live job, replays of ended jobs, and rare situations; the rarest are repeated most. */
const SCENARIOS: readonly Scenario[] = [
  ...REPLAY_STAGES.flatMap((from) =>
    REPLAY_STAGES.filter((to) => POSITION[to] <= POSITION[from]).flatMap((to) =>
      times(2, (state, other) => replayFrom(state, from, to, other)),
    ),
  ),
  ...times(3, (state, other) => replayEnded(state, 'complete', other)),
  ...times(5, (state, other) => replayEnded(state, 'failed', other)),
  ...times(3, (state, other) => replayEnded(state, 'cancelled', other)),
  ...times(2, (state, other) => replayFrom(state, 'queued', 'cancelled', other)),
  ...times(2, (state, other) => replayFrom(state, 'separating', 'cancelled', other)),
  ...times(4, (state, other) => replan(state, true, other)),
  ...times(4, (state, other) => replan(state, false, other)),
  ...times(4, (state, other) => endBySweep(state, true, other)),
  ...times(4, (state, other) => endBySweep(state, false, other)),
  ...times(6, expiredDraft),
  ...times(6, (state, other) => outage(state, false, other)),
  ...times(4, (state, other) => outage(state, true, other)),
  ...times(4, soloRun),
  ...times(2, (state, other) => replayFrom(state, 'rendering', 'separating', other)),
  ...times(2, (state, other) => replayFrom(state, 'rendering', 'rendering', other)),
  (state, other) => replayFrom(state, 'separating', 'queued', other),
  (state, other) => replayFrom(state, 'separating', 'separating', other),
  ...times(3, iteration),
  ...times(3, lateWorker),
  ...times(6, exhaustAttempts),
  ...times(9, unusedSong),
  ...times(9, missingStems),
  ...times(3, publishedParts),
  ...times(24, opening),
  ...times(20, studioVersion),
];

/** How many scenarios follow each other. */
const SCENARIOS_IN_A_ROW = 3;

/** Runs a few scenarios. One that is not possible now (all is paused, for example) ends early. */
export function* runScenarios(state: State, pick: number, other: number): Steps {
  yield* makeReady(state);
  for (let index = 0; index < SCENARIOS_IN_A_ROW; index++) {
    const scenario = choose(SCENARIOS, pick + index * (1 + (other % 37)));
    if (scenario) yield* scenario(state, other + index);
  }
}

/** Ends pauses and held claims, so that scenarios are possible. */
function* makeReady(state: State): Steps {
  for (const which of Object.keys(state.model.pauses)) yield operation.resume(which);
  if (!state.model.workers[state.driver]?.alive) yield fault.startWorker(state, true);
  if (state.workers.filter((id) => state.model.workers[id]?.alive).length < 2) yield fault.startWorker(state);
  if (state.pending.schedule || Object.values(state.model.circuits).some((circuit) => circuit.open))
    yield* sweepAfter(state, 400_000);
  for (const claim of state.claims.filter((one) => held(state.model, one))) yield operation.finish(claim, false);
}

const current = (state: State, job: ModelJob | undefined): ModelJob | undefined => job && state.model.jobs[job.id];

/** Submits a job that gets a slot; older jobs with slots are cancelled. */
function* freshJob(
  state: State,
  count: number,
  isDraft: boolean,
  other: number,
  wantsStudio = other % 5 === 0,
): Generator<Step | undefined, ModelJob | undefined> {
  const busy = jobsOf(state.model).filter((job) => job.admitted);
  for (const job of busy) {
    if (busy.length < 2 && job.user !== state.fixture.users[0]) break;
    yield operation.cancelJob(job.id, true);
  }
  for (const job of jobsOf(state.model)) {
    if (!job.admitted && !isTerminal(job.stage) && current(state, job)) yield operation.cancelJob(job.id, false);
  }
  const before = new Set(Object.keys(state.model.jobs));
  yield operation.submit(choose(state.fixture.users, other) ?? '', count, isDraft, wantsStudio);
  return jobsOf(state.model).find((job) => !before.has(job.id));
}

/** Returns a job in a stage: one that is before it and is driven there, else a replayed one, else a new one. */
function* jobIn(state: State, stage: Stage, other: number): Generator<Step | undefined, ModelJob | undefined> {
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

/** Returns a job that waits in the queue because its user is paused. */
function* queuedJob(state: State, other: number): Generator<Step | undefined, ModelJob | undefined> {
  const waiting = choose(
    jobsOf(state.model).filter((job) => job.stage === 'queued'),
    other,
  );
  if (waiting) return waiting;
  const user = choose(state.fixture.users, other) ?? '';
  yield operation.pause('user', user, undefined);
  const before = new Set(Object.keys(state.model.jobs));
  yield operation.submit(user, 2, false, false);
  return jobsOf(state.model).find((job) => !before.has(job.id));
}

function* claimOf(
  state: State,
  job: ModelJob,
  kind?: string,
  song?: string,
): Generator<Step | undefined, Claim | undefined> {
  const task = state.snapshot.tasks.find(
    (one) =>
      one.job === job.id &&
      one.state === 'ready' &&
      (kind === undefined || one.kind === kind) &&
      (song === undefined || one.song === song),
  );
  const worker = state.workers.find((id) => state.model.workers[id]?.alive);
  if (!task || worker === undefined) return undefined;
  yield operation.claim(task, worker, false);
  return state.claims.find((claim) => claim.id === task.id && held(state.model, claim));
}

const KIND_IN: Partial<Record<Stage, string>> = Object.fromEntries(
  TASK_KIND_DEFINITIONS.map(({ stage, kind }) => [stage, kind]),
);

/** A job is driven to a stage, and replayed or cancelled from there. */
function* replayFrom(state: State, from: Stage, to: Stage, other: number): Steps {
  const job = current(state, from === 'queued' ? yield* queuedJob(state, other) : yield* jobIn(state, from, other));
  if (!job || job.stage !== from) return;
  yield to === 'cancelled'
    ? operation.cancelJob(job.id, other % 2 === 0)
    : operation.replayJob(job.id, to, (['update', 'update', 'function', 'fresh'] as const)[other % 4] ?? 'update');
  if (from === 'queued') yield operation.replayJob(job.id, 'scoring', 'function');
}

/** A job ends repeatedly and is replayed to each stage, the last stages first: these have the most prerequisites. */
function* replayEnded(state: State, end: Stage, other: number): Steps {
  const arrived = yield* jobIn(state, 'rendering', other);
  let job = current(state, arrived);
  for (const to of [...REPLAY_STAGES].reverse()) {
    if (!job || isTerminal(job.stage)) return;
    if (end === 'complete') yield operation.drive(job.id, 'complete', state.driver);
    else if (end === 'cancelled') yield operation.cancelJob(job.id, POSITION[to] % 2 === 0);
    else {
      // If one song of three is excluded, the next one fails the job.
      for (let song = 0; song < 2 && current(state, job)?.stage !== 'failed'; song++) {
        const claim: Claim | undefined = yield* claimOf(
          state,
          job,
          KIND_IN[state.model.jobs[job.id]?.stage ?? 'queued'],
        );
        if (claim) yield operation.fail(claim, faultOf(state, claim, 'permanent'));
      }
    }
    job = current(state, job);
    if (job?.stage !== end) return;
    // Separation must fail as well. The stems would be there without a fresh replay.
    if (to === 'separating' && end === 'failed') yield fault.deleteStems(job.user);
    yield operation.replayJob(job.id, to, other % 2 === 0 ? 'update' : 'function');
    job = current(state, job);
    if (job?.admitted === false) return;
  }
}

/** An iteration of a complete mashup. */
function* iteration(state: State, other: number): Steps {
  const done = jobsOf(state.model).find((job) => job.stage === 'complete') ?? (yield* jobIn(state, 'complete', other));
  if (!done) return;
  const before = new Set(Object.keys(state.model.jobs));
  yield operation.iterate(done, other % 4 >= 2);
  const job = jobsOf(state.model).find((one) => !before.has(one.id));
  if (job && other % 2 === 0) yield operation.drive(job.id, 'complete', state.driver);
}

/** The separation of a song fails permanently while a plan that uses it is made, or after. */
function* replan(state: State, isPlanning: boolean, other: number): Steps {
  const job = yield* freshJob(state, 3, false, other);
  if (!job) return;
  yield operation.drive(job.id, isPlanning ? 'planning' : 'separating', state.driver);
  const plan = isPlanning ? yield* claimOf(state, job, 'plan') : undefined;
  const separate = yield* claimOf(state, job, 'separate');
  if (separate) yield operation.fail(separate, faultOf(state, separate, 'permanent'));
  if (plan) yield operation.finish(plan, false);
}

/** The sweep ends a task that kills its workers or takes too long. */
function* endBySweep(state: State, isDeadly: boolean, other: number): Steps {
  const job = yield* jobIn(state, isDeadly || other % 2 === 0 ? 'rendering' : 'scoring', other);
  const claim = job && (yield* claimOf(state, job));
  if (!claim) return;
  const worker = held(state.model, claim)?.task.worker;
  if (isDeadly && worker !== undefined) {
    yield fault.addCrashes(claim);
    yield fault.killWorker(state, worker);
    state.workers = state.workers.filter((id) => id !== worker);
    yield fault.startWorker(state);
  } else if (claim.kind === 'score') {
    // It sends heartbeats beyond its longest time.
    yield fault.passTime(state, 75_000, liveWorkers(state));
    yield operation.heartbeat(claim, undefined);
  } else yield fault.makeLate(claim);
  yield* sweepAfter(state, 2_000);
}

function* expiredDraft(state: State, other: number): Steps {
  const job = yield* freshJob(state, 1 + (other % 3), true, other);
  if (!job) return;
  yield operation.drive(job.id, 'complete', state.driver);
  if (other % 2 === 0) yield operation.startJob(job.id);
  yield* sweepAfter(state, 25 * 3_600_000);
}

/** A service is unavailable: its circuit opens, and a probe or the fallback continues. */
function* outage(state: State, isLong: boolean, other: number): Steps {
  const stage = isLong ? 'planning' : (choose(['analyzing', 'planning', 'rendering'] as const, other) ?? 'planning');
  const job = yield* jobIn(state, stage, other);
  const kind = KIND_IN[stage] ?? '';
  const claim = job && (yield* claimOf(state, job, kind));
  if (!claim) return;
  yield fault.addFailures(
    { analyze: 'analysis', plan: 'orchestrator', render: 'processing' }[kind] ?? '',
    isLong ? 8 : 0,
  );
  yield operation.fail(claim, faultOf(state, claim, 'unavailable'));
  yield* sweepAfter(state, 65_000);
  const again = yield* claimOf(state, job, kind);
  if (!again) return;
  yield other % 3 > 0 ? operation.fail(again, faultOf(state, again, 'unavailable')) : operation.finish(again, false);
}

/** A task fails with transient faults until it has no attempts left. */
function* exhaustAttempts(state: State, other: number): Steps {
  const job = yield* jobIn(state, 'rendering', other);
  for (let attempt = 0; job && attempt < MAX_ATTEMPTS.render; attempt++) {
    const claim: Claim | undefined = yield* claimOf(state, job);
    if (!claim) return;
    yield operation.fail(claim, faultOf(state, claim, 'transient'));
    if (attempt + 1 < MAX_ATTEMPTS.render) yield* sweepAfter(state, 65_000);
  }
}

/** The plan does not use a song whose separation is still running when the mashup is complete. */
function* unusedSong(state: State, other: number): Steps {
  const job = yield* freshJob(state, 3, false, other);
  if (!job) return;
  yield operation.drive(job.id, 'planning', state.driver);
  const separate = yield* claimOf(state, job, 'separate', job.songs[0]?.id);
  const plan = yield* claimOf(state, job, 'plan');
  if (plan) yield operation.finish(plan, true);
  yield operation.drive(job.id, 'complete', state.driver);
  if (separate) yield operation.finish(separate, false);
}

/** A render finds stems missing. They are made again; every other time the next render misses them as well. */
function* missingStems(state: State, other: number): Steps {
  const job = yield* jobIn(state, 'rendering', other);
  const claim = job && (yield* claimOf(state, job, 'render'));
  const song = job?.plan?.[0];
  if (!claim || song === undefined) return;
  yield operation.missingStems(claim, song);
  if (other % 8 === 7) return;
  yield operation.drive(job.id, 'rendering', state.driver);
  const again = yield* claimOf(state, job, 'render');
  if (again) yield operation.missingStems(again, song);
}

/** A render publishes parts and is lost; the next one begins without them, and the lost one publishes late. */
function* publishedParts(state: State, other: number): Steps {
  const job = yield* jobIn(state, 'rendering', other);
  const lost = job && (yield* claimOf(state, job, 'render'));
  if (!lost) return;
  yield operation.publish(lost, 2);
  yield operation.publish(lost, 1);
  if (other % 3 === 0) return yield operation.replayJob(job.id, 'rendering', 'update');
  if (other % 3 === 1) yield operation.returnTask(lost);
  else yield* sweepAfter(state, 31_000);
  const next = yield* claimOf(state, job, 'render');
  yield operation.publish(lost, 3);
  if (next) yield operation.publish(next, 1);
}

/** The opening is rendered beside a separation, which then ends in every way; a late worker publishes more of it. */
function* opening(state: State, other: number): Steps {
  // Aborted renders keep their places for a while.
  yield* sweepAfter(state, 65_000);
  const job = yield* jobIn(state, 'separating', other);
  let claim = job && (yield* claimOf(state, job, 'separate'));
  if (claim && claim.song !== job?.plan?.at(-1)) {
    yield operation.reportOpening(claim);
    yield operation.finish(claim, false);
    claim = job && (yield* claimOf(state, job, 'separate'));
  }
  if (!claim || !job) return;
  yield operation.reportOpening(claim);
  yield operation.publish(claim, 1 + (other % 3));
  if (other % 5 === 0) yield operation.cancelJob(job.id, false);
  else if (other % 5 === 1) yield operation.replayJob(job.id, 'separating', 'fresh');
  else if (other % 5 === 2) yield* sweepAfter(state, 31_000);
  else yield operation.finish(claim, false);
  yield operation.publish(claim, 4);
  yield operation.reportOpening(claim);
  const render = yield* claimOf(state, job, 'render');
  if (render) yield operation.publish(render, 1 + (other % 5));
}

/** A worker that was considered lost writes while another runs its task. */
function* lateWorker(state: State, other: number): Steps {
  const job = yield* jobIn(state, choose(['analyzing', 'planning', 'rendering'] as const, other) ?? 'planning', other);
  const lost = job && (yield* claimOf(state, job));
  if (!lost) return;
  yield* sweepAfter(state, 31_000);
  yield* claimOf(state, job, lost.kind, lost.song ?? undefined);
  yield operation.heartbeat(lost, other % 2 === 0 ? 0.9 : undefined);
  yield other % 3 === 0 ? operation.fail(lost, faultOf(state, lost, 'permanent')) : operation.finish(lost, false);
}

/** A task that has lost workers waits until its worker runs nothing else. */
function* soloRun(state: State, other: number): Steps {
  const job = yield* freshJob(state, 2, false, other);
  const first = job && (yield* claimOf(state, job, 'analyze'));
  if (!first) return;
  yield fault.addCrashes(first);
  yield operation.returnTask(first);
  const song = first.song ?? undefined;
  const second = state.snapshot.tasks.find(
    (task) => task.job === job.id && task.kind === 'analyze' && task.song !== song,
  );
  const claim = second && (yield* claimOf(state, job, 'analyze', second.song ?? undefined));
  const third: Claim | undefined = yield* claimOf(state, job, 'analyze', song);
  if (claim && third === undefined) yield operation.finish(claim, false);
}

/** A studio version is made, or ends: by a fault, a cancellation, a replay, missing stems, or a lost worker. */
function* studioVersion(state: State, other: number): Steps {
  const job = yield* freshJob(state, 2, false, other, true);
  if (!job) return;
  yield operation.drive(job.id, 'complete', state.driver);
  const end = choose(
    ['ready', 'cancel', 'fault', 'cancel', 'ready', 'stems', 'cancel', 'crash', 'ready', 'replay'] as const,
    other,
  );
  for (let task = 0; task < 4; task++) {
    // The sweep dispatches its tasks.
    yield* sweepAfter(state, 1_500);
    const claim: Claim | undefined = yield* claimOf(state, job);
    if (!claim) return;
    const isLast = claim.kind === 'render' || (end === 'fault' && other % 2 === 0);
    if (!isLast || end === 'ready') yield operation.finish(claim, false);
    else if (end === 'fault') yield operation.fail(claim, faultOf(state, claim, 'permanent'));
    else if (end === 'cancel') yield operation.cancelJob(job.id, false);
    else if (end === 'replay') yield operation.replayJob(job.id, 'rendering', 'update');
    else if (end === 'stems') yield operation.missingStems(claim, job.songs[0]?.id ?? '');
    else yield* sweepAfter(state, 31_000, held(state.model, claim)?.task.worker);
    if (isLast) {
      // A late worker changes nothing.
      yield operation.finish(claim, false);
      return;
    }
  }
}

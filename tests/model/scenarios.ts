/** Short stories that lead to a certain move: without them chance would seldom come to the far ends of the machine. */
import type { Stage } from '../../schema.ts';
import { isTerminal, MAX_ATTEMPTS, type ModelJob, POSITION } from './model.ts';
import * as misfortune from './fault-commands.ts';
import * as operation from './operations.ts';
import { type Claim, held, type State } from './operations.ts';
import { choose, crewHeard, isProbe, jobsOf, type Turn, type Turns, upkeep } from './turns.ts';

type Journey = (state: State, other: number) => Turns;

const LIVE: Stage[] = ['queued', 'analyzing', 'scoring', 'planning', 'separating', 'rendering'];
const times = (count: number, journey: Journey): Journey[] => Array.from({ length: count }, () => journey);

/** Every replay of a running job, tours through the ends, and tales that chance seldom tells; the seldom ones more often. */
const JOURNEYS: readonly Journey[] = [
  ...LIVE.flatMap((from) =>
    LIVE.filter((to) => POSITION[to] <= POSITION[from]).flatMap((to) =>
      times(2, (state, other) => visit(state, from, to, other)),
    ),
  ),
  ...times(3, (state, other) => tour(state, 'complete', other)),
  ...times(5, (state, other) => tour(state, 'failed', other)),
  ...times(3, (state, other) => tour(state, 'cancelled', other)),
  ...times(2, (state, other) => visit(state, 'queued', 'cancelled', other)),
  ...times(2, (state, other) => visit(state, 'separating', 'cancelled', other)),
  ...times(3, (state, other) => replan(state, true, other)),
  ...times(3, (state, other) => replan(state, false, other)),
  ...times(4, (state, other) => endByUpkeep(state, true, other)),
  ...times(4, (state, other) => endByUpkeep(state, false, other)),
  ...times(6, oldDraft),
  ...times(6, (state, other) => outage(state, false, other)),
  ...times(4, (state, other) => outage(state, true, other)),
  ...times(4, alone),
  ...times(2, (state, other) => visit(state, 'rendering', 'separating', other)),
  ...times(2, (state, other) => visit(state, 'rendering', 'rendering', other)),
  (state, other) => visit(state, 'separating', 'queued', other),
  (state, other) => visit(state, 'separating', 'separating', other),
  ...times(3, iteration),
  ...times(3, ghost),
  ...times(3, tire),
  ...times(4, spareSong),
];

/** How many journeys follow each other once the world is ready for them. */
const TALES = 3;

/** Tells a few journeys. Where the world does not allow one (all is paused, say) the tale ends early. */
export function* travel(state: State, pick: number, other: number): Turns {
  yield* makeReady(state);
  for (let tale = 0; tale < TALES; tale++) {
    const journey = choose(JOURNEYS, pick + tale * (1 + (other % 37)));
    if (journey) yield* journey(state, other + tale);
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

/** A job is brought to a stage, and moved from there. */
function* visit(state: State, from: Stage, to: Stage, other: number): Turns {
  const job = current(state, from === 'queued' ? yield* queuedJob(state, other) : yield* jobIn(state, from, other));
  if (!job || job.stage !== from) return;
  yield to === 'cancelled'
    ? operation.cancelJob(job.id, other % 2 === 0)
    : operation.replayJob(job.id, to, (['update', 'update', 'verb', 'fresh'] as const)[other % 4] ?? 'update');
  if (from === 'queued') yield operation.replayJob(job.id, 'scoring', 'verb');
}

/** A job comes to an end again and again, and is replayed from there to each stage: late ones first, that need the most. */
function* tour(state: State, end: Stage, other: number): Turns {
  const arrived = yield* jobIn(state, 'rendering', other);
  let job = current(state, arrived);
  for (const to of [...LIVE].reverse()) {
    if (!job || isTerminal(job.stage)) return;
    if (end === 'complete') yield operation.drive(job.id, 'complete', state.driver);
    else if (end === 'cancelled') yield operation.cancelJob(job.id, POSITION[to] % 2 === 0);
    else {
      // Where one song of three is left out, the next one fails the job.
      for (let song = 0; song < 2 && current(state, job)?.stage !== 'failed'; song++) {
        const claim: Claim | undefined = yield* claimOf(
          state,
          job,
          KIND_IN[state.model.jobs[job.id]?.stage ?? 'queued'],
        );
        if (claim) yield operation.fail(claim, 'permanent', isProbe(state, claim));
      }
    }
    job = current(state, job);
    if (job?.stage !== end) return;
    // Separation is to fail as well: without a fresh replay the stems would be there.
    if (to === 'separating' && end === 'failed') yield misfortune.forgetStems(job.user);
    yield operation.replayJob(job.id, to, other % 2 === 0 ? 'update' : 'verb');
    job = current(state, job);
    if (job?.admitted === false) return;
  }
}

/** A new version of a complete mashup. */
function* iteration(state: State, other: number): Turns {
  const done = jobsOf(state.model).find((job) => job.stage === 'complete') ?? (yield* jobIn(state, 'complete', other));
  if (!done) return;
  const before = new Set(Object.keys(state.model.jobs));
  yield operation.iterate(done);
  const job = jobsOf(state.model).find((one) => !before.has(one.id));
  if (job && other % 2 === 0) yield operation.drive(job.id, 'complete', state.driver);
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
  const job = yield* jobIn(state, isDeadly || other % 2 === 0 ? 'rendering' : 'scoring', other);
  const claim = job && (yield* claimOf(state, job));
  if (!claim) return;
  const worker = held(state.model, claim)?.task.worker;
  if (isDeadly && worker !== undefined) {
    yield misfortune.wear(claim);
    yield misfortune.killWorker(state, worker);
    state.crew = state.crew.filter((id) => id !== worker);
    yield misfortune.hireWorker(state);
  } else if (claim.kind === 'score') {
    // It beats on and on, past the time that it may take.
    yield misfortune.pass(state, 75_000, crewHeard(state));
    yield operation.beat(claim, undefined);
  } else yield misfortune.makeLate(claim);
  yield* upkeep(state, 2_000);
}

function* oldDraft(state: State, other: number): Turns {
  const job = yield* freshJob(state, 1 + (other % 3), true, other);
  if (!job) return;
  yield operation.drive(job.id, 'complete', state.driver);
  if (other % 2 === 0) yield operation.startJob(job.id);
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
  yield other % 3 > 0 ? operation.fail(again, 'unavailable', isProbe(state, again)) : operation.finish(again, false);
}

/** A task fails, in ways that may be tried again, until its attempts are used up. */
function* tire(state: State, other: number): Turns {
  const job = yield* jobIn(state, 'rendering', other);
  for (let attempt = 0; job && attempt < MAX_ATTEMPTS.render; attempt++) {
    const claim: Claim | undefined = yield* claimOf(state, job);
    if (!claim) return;
    yield operation.fail(claim, 'transient', isProbe(state, claim));
    if (attempt + 1 < MAX_ATTEMPTS.render) yield* upkeep(state, 65_000);
  }
}

/** The plan does without a song whose separation is still under way when the mashup is complete. */
function* spareSong(state: State, other: number): Turns {
  const job = yield* freshJob(state, 3, false, other);
  if (!job) return;
  yield operation.drive(job.id, 'planning', state.driver);
  const separate = yield* claimOf(state, job, 'separate', job.songs[0]?.id);
  const plan = yield* claimOf(state, job, 'plan');
  if (plan) yield operation.finish(plan, true);
  yield operation.drive(job.id, 'complete', state.driver);
  if (separate) yield operation.finish(separate, false);
}

/** A worker that was given up comes back while another is at its task. */
function* ghost(state: State, other: number): Turns {
  const job = yield* jobIn(state, choose(['analyzing', 'planning', 'rendering'] as const, other) ?? 'planning', other);
  const lost = job && (yield* claimOf(state, job));
  if (!lost) return;
  yield* upkeep(state, 31_000);
  yield* claimOf(state, job, lost.kind, lost.song ?? undefined);
  yield operation.beat(lost, other % 2 === 0 ? 0.9 : undefined);
  yield other % 3 === 0 ? operation.fail(lost, 'permanent', isProbe(state, lost)) : operation.finish(lost, false);
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

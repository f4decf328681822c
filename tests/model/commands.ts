/** The commands of a sequence. Each chooses by numbers what to do next, and to which task, job or worker. */
import { CIRCUITS } from '../../schema.ts';
import { isTerminal, type ModelJob, POSITION, SERVICE_OF, USES_STORAGE } from './model.ts';
import * as fault from './fault-commands.ts';
import * as handOver from './hand-over.ts';
import * as operation from './operations.ts';
import { type Claim, held, type Operation, type State } from './operations.ts';
import { runScenarios } from './scenarios.ts';
import { share, unshare } from './shares.ts';
import { choose, faultOf, liveWorkers, jobsOf, type Step, type Steps, sweepAfter } from './steps.ts';

/** One command of a sequence, as fast-check generates and shrinks it. */
export interface CommandChoice {
  command: keyof typeof COMMANDS;
  pick: number;
  other: number;
  connection: number;
}

const heldClaims = (state: State): Claim[] => state.claims.filter((claim) => held(state.model, claim));
/** Workers of an earlier version finish without going on. */
const FINISHES = [
  handOver.finishAndContinue,
  operation.finish,
  handOver.finishAndContinue,
  handOver.repeatFinish,
  handOver.loseHandOver,
];
const FAULTS = ['transient', 'overloaded', 'transient', 'unavailable', 'overloaded', 'permanent'];
const JUMPS = [500, 2_000, 31_000, 61_000, 90_000];
const MANY_JOBS = 9;

function claimOne(state: State, pick: number, other: number): Operation | undefined {
  const task = choose(
    state.snapshot.tasks.filter((one) => one.state === 'ready'),
    pick,
  );
  const worker = choose(
    state.workers.filter((id) => state.model.workers[id]),
    other,
  );
  return task && worker !== undefined ? operation.claim(task, worker, other % 12 === 11) : undefined;
}

/** Claims a task if no claim is held. */
function* haveClaim(state: State, pick: number): Steps {
  if (heldClaims(state).length === 0) yield claimOne(state, pick, 0);
}

/** Returns a claim to write under: mostly a held one, sometimes a lost one. */
function claimToUse(state: State, pick: number): Claim | undefined {
  const holding = heldClaims(state);
  return pick % 5 === 4 || holding.length === 0 ? choose(state.claims, pick) : choose(holding, pick);
}

const job = (state: State, pick: number): ModelJob | undefined => choose(jobsOf(state.model), pick);
const submitOne = (state: State, pick: number, other: number): Operation | undefined =>
  jobsOf(state.model).filter((one) => !isTerminal(one.stage)).length >= MANY_JOBS
    ? undefined
    : operation.submit(
        choose(state.fixture.users, pick) ?? '',
        other % 5 === 4 ? 1 : 2 + (other % 2),
        other % 5 >= 3,
        other % 7 < 2,
      );

/** The steps of each command. A step is generated when it is due, so that it sees what the step before it did. */
export const COMMANDS = {
  *submit(state: State, pick: number, other: number) {
    yield submitOne(state, pick, other);
  },
  *iterate(state: State, pick: number, other: number) {
    const one = job(state, pick);
    yield one && jobsOf(state.model).length < 2 * MANY_JOBS ? operation.iterate(one, other % 2 === 1) : undefined;
  },
  *start(state: State, pick: number, other: number) {
    const drafts = jobsOf(state.model).filter((one) => one.hold);
    const one = other % 6 === 5 ? job(state, pick) : (choose(drafts, pick) ?? job(state, pick));
    yield one && operation.startJob(one.id);
  },
  *claim(state: State, pick: number, other: number) {
    yield claimOne(state, pick, other);
  },
  *heartbeat(state: State, pick: number, other: number) {
    yield* haveClaim(state, pick);
    const claim = claimToUse(state, pick);
    yield claim && operation.heartbeat(claim, other % 2 === 0 ? undefined : (other % 100) / 100);
    if (!claim || other % 2 === 0) return;
    // A second later it reports less progress.
    yield fault.passTime(state, 1_500, liveWorkers(state));
    yield operation.heartbeat(claim, (other % 100) / 200);
  },
  /** A separation reports the opening's part of its song; so does a claim that is lost, and rarely another task. */
  *reportOpening(state: State, pick: number, other: number) {
    const separations = state.claims.filter(({ kind }) => kind === 'separate');
    const claim = other % 9 === 8 ? claimToUse(state, pick) : choose(separations, pick);
    yield claim && operation.reportOpening(claim);
    if (claim && other % 2 === 0) yield operation.publish(claim, 1 + (other % 3));
  },
  /** A render publishes parts; so does a claim that is lost, and rarely another task. */
  *publish(state: State, pick: number, other: number) {
    yield* haveClaim(state, pick);
    const renders = state.claims.filter(({ kind }) => kind === 'render');
    const holding = renders.filter((claim) => held(state.model, claim));
    const claim =
      other % 9 === 8
        ? claimToUse(state, pick)
        : choose(other % 3 === 2 || holding.length === 0 ? renders : holding, pick);
    yield claim && operation.publish(claim, 1 + (other % 4));
  },
  *finish(state: State, pick: number, other: number) {
    yield* haveClaim(state, pick);
    const claim = claimToUse(state, pick);
    const finish = choose(FINISHES, other >> 2) ?? operation.finish;
    yield claim && finish(claim, other % 3 === 0);
  },
  *fail(state: State, pick: number, other: number) {
    yield* haveClaim(state, pick);
    const claim = claimToUse(state, pick);
    yield claim && operation.fail(claim, faultOf(state, claim, choose(FAULTS, other) ?? ''));
  },
  /** Storage fails or refuses the key, and mostly a probe follows. */
  *storageFault(state: State, pick: number, other: number) {
    yield* haveClaim(state, pick);
    const claim = choose(
      heldClaims(state).filter(({ kind }) => USES_STORAGE[kind]),
      pick,
    );
    if (!claim) return;
    if (other % 3 === 2) yield fault.addFailures('storage', 0);
    const faultClass = other % 3 < 2 ? 'refused' : 'unavailable';
    const blamed = other % 7 === 6 ? undefined : 'storage';
    yield operation.fail(claim, { ...faultOf(state, claim, faultClass, blamed), spends: other % 2 === 0 });
    if (other % 4 === 0) yield claimOne(state, pick, other);
    if (other % 4 > 0) yield* sweepAfter(state, 65_000);
  },
  *returnTask(state: State, pick: number) {
    const claim = claimToUse(state, pick);
    yield claim && operation.returnTask(claim);
  },
  *crash(state: State, pick: number, other: number) {
    const worker = choose(
      state.workers.filter((id) => state.model.workers[id]),
      pick,
    );
    if (worker === undefined) return;
    yield other % 3 === 0 ? fault.deregisterWorker(worker) : fault.killWorker(state, worker);
    state.workers = state.workers.filter((id) => id !== worker);
    yield fault.startWorker(state);
    if (other % 3 === 1) yield* sweepAfter(state, 2_000);
  },
  *silence(state: State, pick: number) {
    yield* haveClaim(state, pick);
    const claim = choose(heldClaims(state), pick);
    yield* sweepAfter(state, 31_000, claim && held(state.model, claim)?.task.worker);
    yield fault.startWorker(state);
  },
  *cancel(state: State, pick: number, other: number) {
    const one = job(state, pick);
    yield one && operation.cancelJob(one.id, other % 2 === 0);
  },
  *replay(state: State, pick: number, other: number) {
    const one = job(state, pick);
    const stages = operation.STAGES_WITH_WORK.filter(
      (stage) => other % 7 === 6 || !one || isTerminal(one.stage) || POSITION[stage] <= POSITION[one.stage],
    );
    const by = (['update', 'function', 'fresh'] as const)[other % 3] ?? 'update';
    yield one && operation.replayJob(one.id, choose(stages, other >> 3) ?? 'queued', by);
  },
  *illegal(state: State, pick: number, other: number) {
    const one = job(state, pick);
    yield one && operation.illegal(one, other);
  },
  *retry(state: State, pick: number) {
    const ended = jobsOf(state.model).filter((one) => one.stage === 'failed' || one.stage === 'cancelled');
    const one = choose(ended, pick) ?? job(state, pick);
    yield one && operation.retryJob(one.id);
  },
  *bulk(state: State, pick: number, other: number) {
    yield operation.bulk(
      (['retry', 'cancel', 'replay'] as const)[pick % 3] ?? 'retry',
      choose(state.fixture.users, other) ?? '',
    );
  },
  *pause(state: State, pick: number, other: number) {
    const scope = (['system', 'user', 'job', 'kind', 'service'] as const)[pick % 5] ?? 'system';
    const kinds = Object.keys(SERVICE_OF);
    const keys = {
      system: [''],
      user: state.fixture.users,
      job: jobsOf(state.model).map((one) => one.id),
      kind: kinds,
      service: [...CIRCUITS],
    };
    const key = choose(keys[scope], other);
    if (key === undefined) return;
    yield operation.pause(scope, key, other % 2 === 0 ? 60_000 : undefined);
    if (other % 3 !== 0) return;
    yield claimOne(state, pick, 0);
    yield operation.resume(`${scope} ${key}`);
  },
  *resume(state: State, pick: number) {
    const which = choose(Object.keys(state.model.pauses).sort(), pick);
    yield which === undefined ? undefined : operation.resume(which);
  },
  *clock(state: State, pick: number, other: number) {
    const seen = other % 4 === 0 ? [] : liveWorkers(state);
    yield fault.passTime(state, choose(JUMPS, pick) ?? 0, seen);
  },
  *sweep(state: State, pick: number) {
    yield* sweepAfter(state, pick % 3 === 0 ? 6_000 : 1);
  },
  *emptyQueue(state: State, pick: number, other: number) {
    yield pick % 3 === 0 || state.isQueueHidden ? fault.dropQueue(state) : fault.emptyQueue(state);
    if (other % 2 === 0) return;
    if (state.isQueueHidden) yield fault.dropQueue(state);
    yield* sweepAfter(state, 6_000);
  },
  /** Mostly a complete mashup is shared; then the link is asked for again, revoked, or kept. */
  *share(state: State, pick: number, other: number) {
    const complete = jobsOf(state.model).filter((one) => one.stage === 'complete' || one.link !== undefined);
    const one = other % 6 === 5 ? job(state, pick) : choose(complete, pick);
    if (!one) return;
    yield share(one);
    if (other % 3 === 0) yield unshare(one);
    if (other % 3 < 2) yield share(one);
  },
  *deleteStems(state: State, pick: number) {
    yield fault.deleteStems(choose(state.fixture.users, pick) ?? '');
  },
  *remove(state: State, pick: number, other: number) {
    const one = job(state, pick);
    if (other % 3 === 0) yield fault.deleteUser(state, choose(state.fixture.users, pick) ?? '');
    else if (one) yield fault.deleteJob(state, one.id);
    yield fault.runSweep(state);
  },
  *race(state: State, pick: number, other: number) {
    yield race(state, pick, other);
  },
  *scenario(state: State, pick: number, other: number) {
    yield* runScenarios(state, pick, other);
  },
} satisfies Record<string, (state: State, pick: number, other: number) => Steps>;

/** Two operations at once on one claim or job. The database must return what one order of the two returns. */
function race(state: State, pick: number, other: number): Step | undefined {
  const claim = choose(heldClaims(state), pick);
  if (!claim || other % 6 === 5) {
    const task = choose(
      state.snapshot.tasks.filter((one) => one.state === 'ready'),
      pick,
    );
    const workers = state.workers.filter((id) => state.model.workers[id]);
    if (!task || workers.length === 0) return undefined;
    const rival =
      other % 2 === 0
        ? operation.claim(task, choose(workers, pick + 1) ?? '', false)
        : operation.cancelJob(task.job, true);
    return [operation.claim(task, choose(workers, pick) ?? '', false), rival];
  }
  const stage =
    choose(
      operation.STAGES_WITH_WORK.slice(1, 1 + Math.max(1, POSITION[state.model.jobs[claim.job]?.stage ?? 'queued'])),
      other,
    ) ?? 'analyzing';
  const rivals = [
    operation.replayJob(claim.job, stage, 'update'),
    operation.cancelJob(claim.job, false),
    operation.finish(claim, false),
    operation.fail(claim, faultOf(state, claim, 'permanent')),
    operation.heartbeat(claim, 0.5),
  ];
  const mine =
    other % 3 === 2
      ? operation.fail(claim, faultOf(state, claim, 'transient'))
      : choose(FINISHES.slice(0, 2), other >> 1)?.(claim, other % 3 === 0);
  return mine && [mine, choose(rivals, other >> 2) ?? operation.heartbeat(claim, 0.5)];
}

/** Runs sequences of commands against the database and the model side by side. */
import fc from 'fast-check';
import { COMMANDS, type Step } from './commands.ts';
import * as misfortune from './fault-commands.ts';
import { newState, type Claim, type Operation, type Outcome, type State } from './operations.ts';
import { settle } from './compare.ts';
import type { Limits, Picture, World } from './model-fixture.ts';

/** Commands of a sequence, before each becomes one or more turns. */
const MIN_COMMANDS = 30;
const MAX_COMMANDS = 32;
/** How often a shorter sequence is tried when one has failed. */
const MAX_SHRINKS = 250;

export interface Sequence {
  isTight: boolean;
  steps: Step[];
}

/** How often each kind of command comes, in relation to the others. */
const WEIGHTS: Record<Step['command'], number> = {
  submit: 4,
  iterate: 2,
  start: 5,
  claim: 12,
  beat: 4,
  finish: 8,
  fail: 6,
  handBack: 4,
  crash: 4,
  silence: 3,
  cancel: 1,
  replay: 3,
  illegal: 1,
  retry: 4,
  bulk: 3,
  pause: 6,
  resume: 2,
  clock: 2,
  sweep: 2,
  emptyQueue: 3,
  forgetStems: 1,
  remove: 3,
  race: 5,
  journey: 10,
};

const ROOMY: Limits = { services: { analysis: 4, scoring: 3, orchestrator: 3, separation: 4, processing: 3 }, jobs: 4 };
const TIGHT: Limits = { services: { analysis: 2, scoring: 1, orchestrator: 1, separation: 1, processing: 1 }, jobs: 2 };

const arbitrary: fc.Arbitrary<Sequence> = fc.record({
  isTight: fc.boolean(),
  steps: fc.array(
    fc.record({
      command: fc.oneof(
        ...Object.entries(WEIGHTS).map(([command, weight]) => ({
          weight,
          arbitrary: fc.constant(command as Step['command']),
        })),
      ),
      pick: fc.nat({ max: 9_999 }),
      other: fc.nat({ max: 9_999 }),
      connection: fc.nat({ max: 3 }),
    }),
    { minLength: MIN_COMMANDS, maxLength: MAX_COMMANDS, size: 'max' },
  ),
});

/** The model and the database disagree, or an invariant is broken. */
class Disagreement extends Error {}

interface Trail {
  turns: string[];
  hits: Map<string, number>;
  commands: number;
}

export interface Report {
  sequences: number;
  commands: number;
  turns: number;
  seconds: number;
  hits: Map<string, number>;
  /** Seed and shortest known sequence that fails, with the turns it took. */
  failure: string | undefined;
}

/** Several databases side by side, each with its share of the sequences; their counts as one. */
export async function runLanes(
  worlds: World[],
  options: { seed: number; count: number; drainEvery: number },
): Promise<Report> {
  const share = Math.ceil(options.count / worlds.length);
  const reports = await Promise.all(
    worlds.map((world, lane) =>
      runSequences(world, {
        ...options,
        seed: options.seed + lane * share,
        count: Math.min(share, options.count - lane * share),
      }),
    ),
  );
  const sum: Report = { sequences: 0, commands: 0, turns: 0, seconds: 0, hits: new Map(), failure: undefined };
  for (const report of reports) {
    sum.sequences += report.sequences;
    sum.commands += report.commands;
    sum.turns += report.turns;
    sum.seconds = Math.max(sum.seconds, report.seconds);
    for (const [name, count] of report.hits) sum.hits.set(name, (sum.hits.get(name) ?? 0) + count);
    sum.failure ??= report.failure;
  }
  return sum;
}

/**
 * Runs random sequences until one fails.
 * @param options.drain also runs every n-th sequence's jobs to their ends: nothing may stick
 */
export async function runSequences(
  world: World,
  options: { seed: number; count: number; drainEvery: number; shrink?: boolean },
): Promise<Report> {
  const report: Report = { sequences: 0, commands: 0, turns: 0, seconds: 0, hits: new Map(), failure: undefined };
  for (let index = 0; index < options.count; index++) {
    const [sequence] = fc.sample(arbitrary, { seed: options.seed + index, numRuns: 1 });
    if (!sequence) throw new Error('fast-check made no sequence');
    const isDrained = index % options.drainEvery === 0;
    const trail: Trail = { turns: [], hits: new Map(), commands: 0 };
    const startedAt = performance.now();
    const error = await play(world, sequence, isDrained, trail);
    report.seconds += (performance.now() - startedAt) / 1_000;
    report.sequences++;
    report.commands += trail.commands;
    report.turns += trail.turns.length;
    for (const [name, count] of trail.hits) report.hits.set(name, (report.hits.get(name) ?? 0) + count);
    if (error) {
      const shortest = options.shrink === false ? sequence : await shorten(world, sequence, isDrained);
      const last: Trail = { turns: [], hits: new Map(), commands: 0 };
      const again = await play(world, shortest, isDrained, last);
      // Ids are new each time, and with them the order of rows: what went wrong once need not go wrong again.
      const [steps, turns, message] = again
        ? [shortest.steps, last.turns, again.message]
        : [sequence.steps, trail.turns, `${error.message} (not when tried again)`];
      report.failure = [
        `seed ${options.seed + index}, ${steps.length} of ${sequence.steps.length} commands, limits ${sequence.isTight ? 'tight' : 'roomy'}`,
        ...steps.map((step) => `  ${JSON.stringify(step)}`),
        'turns:',
        ...turns.map((turn) => `  ${turn}`),
        message,
      ].join('\n');
      return report;
    }
  }
  return report;
}

/** Leaves out more and more of what is not needed for the failure (delta debugging). */
async function shorten(world: World, sequence: Sequence, isDrained: boolean): Promise<Sequence> {
  let best = sequence;
  let tries = 0;
  for (let size = Math.floor(best.steps.length / 2); size >= 1;) {
    let hasShrunk = false;
    for (let from = 0; from < best.steps.length && tries < MAX_SHRINKS; from += size) {
      const steps = best.steps.filter((_, index) => index < from || index >= from + size);
      tries++;
      if (
        steps.length > 0 &&
        (await play(world, { ...best, steps }, isDrained, { turns: [], hits: new Map(), commands: 0 }))
      ) {
        best = { ...best, steps };
        hasShrunk = true;
        from -= size;
      }
    }
    if (!hasShrunk) size = size === 1 ? 0 : Math.floor(size / 2);
  }
  return best;
}

/** Plays one sequence in an empty database. Answers what went wrong. */
async function play(world: World, sequence: Sequence, isDrained: boolean, trail: Trail): Promise<Error | undefined> {
  try {
    await world.reset(sequence.isTight ? TIGHT : ROOMY);
    const state = newState(world);
    await world.setClock(0);
    await turn(state, misfortune.hireWorker(state, true), 0, trail);
    await turn(state, misfortune.hireWorker(state), 0, trail);
    await turn(state, misfortune.hireWorker(state), 0, trail);
    for (const step of sequence.steps) {
      trail.commands++;
      for (const next of COMMANDS[step.command](state, step.pick, step.other)) {
        if (next) await turn(state, next, step.connection, trail);
      }
      await checkInvariants(state, step.command);
    }
    if (isDrained) await drain(state);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function turn(
  state: State,
  next: Operation | [Operation, Operation],
  connection: number,
  trail: Trail,
): Promise<void> {
  const operations = Array.isArray(next) ? next : [next];
  const names = operations.map((operation) => operation.name).join('  and at once  ');
  trail.turns.push(names);
  const { connections } = state.world;
  const outcomes = await Promise.all(
    operations.map((operation, index) => {
      const sql = connections[(connection + index) % connections.length];
      if (!sql) throw new Error('no connection');
      return operation.run(sql);
    }),
  );
  trail.turns.push(`    ${outcomes.map((outcome) => outcome.said).join(', ')}`);
  // What is locked by one of two is named, or released, by the next round.
  if (operations.length > 1) state.owed.release = true;
  adopt(state, operations, outcomes, await state.world.look());
  if (operations.length > 1) state.model.hits.push('race');
  for (const hit of state.model.hits.splice(0)) trail.hits.set(hit, (trail.hits.get(hit) ?? 0) + 1);
}

async function checkInvariants(state: State, after: string): Promise<void> {
  const { release, wakeups } = state.owed;
  const broken = await state.world.check({ release, wakeups: wakeups || state.queueIsAway });
  if (broken.length > 0) throw new Disagreement(`after ${after}: ${broken.join('; ')}`);
}

/** Takes over the first order of the operations in which the model says what the database said. */
function adopt(state: State, operations: Operation[], outcomes: Outcome[], picture: Picture): void {
  const orders =
    operations.length === 1
      ? [[0]]
      : [
          [0, 1],
          [1, 0],
        ];
  const differences: string[] = [];
  for (const order of orders) {
    const model = structuredClone(state.model);
    const found: string[] = [];
    let isVoid = true;
    for (const index of order) {
      const [operation, outcome] = [operations[index], outcomes[index]];
      if (!operation || !outcome) continue;
      const hitsBefore = model.hits.length;
      const expected = operation.expect(model, outcome);
      isVoid &&= model.hits
        .slice(hitsBefore)
        .some((hit) => hit === 'late write refused' || hit === 'late wake-up refused');
      if (expected !== outcome.said) found.push(`${operation.name} said ${outcome.said} instead of ${expected}`);
    }
    if (found.length === 0) {
      found.push(...settle(model, picture, state.picture));
      if (isVoid && picture.digest !== state.picture.digest) found.push('a late write changed a row');
    }
    if (found.length === 0) {
      state.model = model;
      state.picture = picture;
      for (const outcome of outcomes) if (outcome.said === 'claimed') state.claims.push(asClaim(outcome));
      return;
    }
    differences.push(found.join('; '));
  }
  throw new Disagreement(differences.join('\n  or, the other way round: '));
}

function asClaim(outcome: Outcome): Claim {
  const document = outcome.data as Claim['document'] & {
    task_id: number;
    claim: string;
    job_id: string;
    kind: Claim['kind'];
    song_id: string | null;
  };
  return {
    id: String(document.task_id),
    token: document.claim,
    job: document.job_id,
    kind: document.kind,
    song: document.song_id,
    document,
  };
}

/** Puts the world right and lets time pass: every job that waits for no user must come to an end. */
async function drain(state: State): Promise<void> {
  const { sql } = state.world;
  if (state.queueIsAway) await sql`alter schema queue_away rename to graphile_worker`;
  state.queueIsAway = false;
  await sql`delete from mashup.pauses`;
  await state.world.setClock(state.model.now + 40_000);
  const worker = await state.world.hire();
  const [row] = await sql`call model.drain(${worker}, null)`;
  if (row?.p_left !== 0) throw new Disagreement(`${row?.p_left} jobs stick`);
  state.owed = { release: false, wakeups: false };
  await checkInvariants(state, 'the end');
}

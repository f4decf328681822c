/** Runs sequences of commands on the database and on the model, and compares them after each step. */
import fc from 'fast-check';
import { arbitrarySequence, ROOMY, type Sequence, TIGHT } from './arbitrary-sequence.ts';
import { COMMANDS } from './commands.ts';
import * as fault from './fault-commands.ts';
import { newState, type Claim, type Operation, type Outcome, type State } from './operations.ts';
import { compareWithModel } from './compare.ts';
import type { ModelFixture, Snapshot } from './model-fixture.ts';

/** How many shorter sequences are tried after a failure. */
const MAX_SHRINKS = 250;

/** The model and the database differ, or an invariant is broken. */
class Disagreement extends Error {}

interface Trace {
  steps: string[];
  hits: Map<string, number>;
  commands: number;
}

export interface Report {
  sequences: number;
  commands: number;
  steps: number;
  seconds: number;
  hits: Map<string, number>;
  /** Seed and shortest known failing sequence, with its steps. */
  failure: string | undefined;
}

/** Runs sequences on several databases in parallel. Returns the sum of their counts. */
export async function runInParallel(
  fixtures: ModelFixture[],
  options: { seed: number; count: number; drainEvery: number },
): Promise<Report> {
  const share = Math.ceil(options.count / fixtures.length);
  const reports = await Promise.all(
    fixtures.map((fixture, lane) =>
      runSequences(fixture, {
        ...options,
        seed: options.seed + lane * share,
        count: Math.min(share, options.count - lane * share),
      }),
    ),
  );
  const sum: Report = { sequences: 0, commands: 0, steps: 0, seconds: 0, hits: new Map(), failure: undefined };
  for (const report of reports) {
    sum.sequences += report.sequences;
    sum.commands += report.commands;
    sum.steps += report.steps;
    sum.seconds = Math.max(sum.seconds, report.seconds);
    for (const [name, count] of report.hits) sum.hits.set(name, (sum.hits.get(name) ?? 0) + count);
    sum.failure ??= report.failure;
  }
  return sum;
}

/**
 * Runs random sequences until one fails.
 * @param options.drainEvery every n-th sequence also runs its jobs to their ends: none may be stuck
 */
export async function runSequences(
  fixture: ModelFixture,
  options: { seed: number; count: number; drainEvery: number; shrink?: boolean },
): Promise<Report> {
  const report: Report = { sequences: 0, commands: 0, steps: 0, seconds: 0, hits: new Map(), failure: undefined };
  for (let index = 0; index < options.count; index++) {
    const [sequence] = fc.sample(arbitrarySequence, { seed: options.seed + index, numRuns: 1 });
    if (!sequence) throw new Error('fast-check made no sequence');
    const isDrained = index % options.drainEvery === 0;
    const trace: Trace = { steps: [], hits: new Map(), commands: 0 };
    const startedAt = performance.now();
    const error = await runSequence(fixture, sequence, isDrained, trace);
    report.seconds += (performance.now() - startedAt) / 1_000;
    report.sequences++;
    report.commands += trace.commands;
    report.steps += trace.steps.length;
    for (const [name, count] of trace.hits) report.hits.set(name, (report.hits.get(name) ?? 0) + count);
    if (error) {
      const shortest = options.shrink === false ? sequence : await shorten(fixture, sequence, isDrained);
      const last: Trace = { steps: [], hits: new Map(), commands: 0 };
      const again = await runSequence(fixture, shortest, isDrained, last);
      // Ids are new each time, and with them the order of rows: a failure need not repeat.
      const [commands, steps, message] = again
        ? [shortest.commands, last.steps, again.message]
        : [sequence.commands, trace.steps, `${error.message} (not when tried again)`];
      report.failure = [
        `seed ${options.seed + index}, ${commands.length} of ${sequence.commands.length} commands, limits ${sequence.isTight ? 'tight' : 'roomy'}`,
        ...commands.map((command) => `  ${JSON.stringify(command)}`),
        'steps:',
        ...steps.map((step) => `  ${step}`),
        message,
      ].join('\n');
      return report;
    }
  }
  return report;
}

/** Removes commands that the failure does not need (delta debugging). */
async function shorten(fixture: ModelFixture, sequence: Sequence, isDrained: boolean): Promise<Sequence> {
  let best = sequence;
  let tries = 0;
  for (let size = Math.floor(best.commands.length / 2); size >= 1;) {
    let hasShrunk = false;
    for (let from = 0; from < best.commands.length && tries < MAX_SHRINKS; from += size) {
      const commands = best.commands.filter((_, index) => index < from || index >= from + size);
      tries++;
      if (
        commands.length > 0 &&
        (await runSequence(fixture, { ...best, commands }, isDrained, { steps: [], hits: new Map(), commands: 0 }))
      ) {
        best = { ...best, commands };
        hasShrunk = true;
        from -= size;
      }
    }
    if (!hasShrunk) size = size === 1 ? 0 : Math.floor(size / 2);
  }
  return best;
}

/** Runs one sequence in an empty database. Returns the failure. */
async function runSequence(
  fixture: ModelFixture,
  sequence: Sequence,
  isDrained: boolean,
  trace: Trace,
): Promise<Error | undefined> {
  try {
    const limits = sequence.isTight ? TIGHT : ROOMY;
    await fixture.reset(limits);
    const state = newState(fixture, limits);
    await fixture.setClock(0);
    await runStep(state, fault.startWorker(state, true), 0, trace);
    await runStep(state, fault.startWorker(state), 0, trace);
    await runStep(state, fault.startWorker(state), 0, trace);
    for (const choice of sequence.commands) {
      trace.commands++;
      for (const next of COMMANDS[choice.command](state, choice.pick, choice.other)) {
        if (next) await runStep(state, next, choice.connection, trace);
      }
      await checkInvariants(state, choice.command);
    }
    if (isDrained) await drain(state);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function runStep(
  state: State,
  next: Operation | [Operation, Operation],
  connection: number,
  trace: Trace,
): Promise<void> {
  const operations = Array.isArray(next) ? next : [next];
  const names = operations.map((operation) => operation.name).join('  and concurrently  ');
  trace.steps.push(names);
  const { connections } = state.fixture;
  const outcomes = await Promise.all(
    operations.map((operation, index) => {
      const sql = connections[(connection + index) % connections.length];
      if (!sql) throw new Error('no connection');
      return operation.run(sql);
    }),
  );
  trace.steps.push(`    ${outcomes.map((outcome) => outcome.result).join(', ')}`);
  // Rows that one of two operations has locked are scheduled or refreshed by the next sweep.
  if (operations.length > 1) state.pending.schedule = true;
  adoptOutcome(state, operations, outcomes, await state.fixture.readSnapshot());
  if (operations.length > 1) state.model.hits.push('race');
  for (const hit of state.model.hits.splice(0)) trace.hits.set(hit, (trace.hits.get(hit) ?? 0) + 1);
}

async function checkInvariants(state: State, after: string): Promise<void> {
  const { schedule, queueEntries } = state.pending;
  const broken = await state.fixture.check({ schedule, queueEntries: queueEntries || state.isQueueHidden });
  if (broken.length > 0) throw new Disagreement(`after ${after}: ${broken.join('; ')}`);
}

/** Adopts the first order of the operations in which the model returns what the database returned. */
function adoptOutcome(state: State, operations: Operation[], outcomes: Outcome[], snapshot: Snapshot): void {
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
    let isLate = true;
    for (const index of order) {
      const [operation, outcome] = [operations[index], outcomes[index]];
      if (!operation || !outcome) continue;
      const hitsBefore = model.hits.length;
      const expected = operation.expect(model, outcome);
      isLate &&= model.hits
        .slice(hitsBefore)
        .some((hit) => hit === 'late write refused' || hit === 'late queue entry refused');
      if (expected !== outcome.result)
        found.push(`${operation.name} returned ${outcome.result} instead of ${expected}`);
    }
    if (found.length === 0) {
      found.push(...compareWithModel(model, snapshot, state.snapshot));
      if (isLate && snapshot.digest !== state.snapshot.digest) found.push('a late write changed a row');
    }
    if (found.length === 0) {
      state.model = model;
      state.snapshot = snapshot;
      for (const outcome of outcomes) {
        if (outcome.claimed !== undefined) state.claims.push(asClaim(outcome.claimed));
        else if (outcome.result === 'claimed') state.claims.push(asClaim(outcome.data));
      }
      return;
    }
    differences.push(found.join('; '));
  }
  throw new Disagreement(differences.join('\n  or, in the other order: '));
}

function asClaim(data: unknown): Claim {
  const document = data as Claim['document'] & {
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

/** Ends all faults and lets time pass: every job that does not wait for its user must end. */
async function drain(state: State): Promise<void> {
  const { sql } = state.fixture;
  if (state.isQueueHidden) await sql`alter schema queue_hidden rename to mashup_queue`;
  state.isQueueHidden = false;
  await sql`delete from mashup.pauses`;
  await state.fixture.setClock(state.model.now + 40_000);
  const worker = await state.fixture.addWorker();
  // Reconciles the queue: if only drafts are left, which wait for their users, the drain runs no sweep.
  await sql`select mashup.sweep()`;
  const [row] = await sql`call model.drain(${worker}, null)`;
  if (row?.p_left !== 0) throw new Disagreement(`${row?.p_left} jobs are stuck`);
  state.pending = { schedule: false, queueEntries: false };
  await checkInvariants(state, 'the end');
}

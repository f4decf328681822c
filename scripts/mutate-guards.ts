/**
 * Mutation test of the state machine: removes one guard after the other from a copy of the database, and shows that the model
 * test, or the test of concurrent calls, fails.
 *
 *   node scripts/mutate-guards.ts [part of a guard's name …]
 *
 * The first run removes nothing and must pass. Prints a table; exits with 1 if a mutant survives.
 */
import type postgres from 'postgres';
import { CONTROL, MUTANTS, type Mutant } from '../tests/model/mutations/guards.ts';
import { runSequences } from '../tests/model/sequences.ts';
import { runConcurrentCalls } from '../tests/model/concurrent-calls.ts';
import { openModelFixture } from '../tests/model/model-fixture.ts';
import { startTestCluster, TEST_CLUSTER_ENV, useDatabase } from '../tests/support/postgres.ts';

/** Sequences after which a mutant counts as having survived. */
const MAX_SEQUENCES = 120;
const CONCURRENT_SECONDS = 10;
const SEED = 7_000;

interface Outcome {
  guard: string;
  killed: boolean;
  after: string;
  by: string;
}

/** Replaces functions by their patched versions. */
async function mutate(sql: postgres.Sql, mutant: Mutant): Promise<void> {
  for (const patch of mutant.patches) {
    const [row] = await sql<{ definition: string }[]>`
      select pg_get_functiondef(p.oid) as definition from pg_proc p
      where p.pronamespace = 'mashup'::regnamespace and p.proname = ${patch.function}`;
    const parts = row?.definition.split(patch.from) ?? [];
    if (parts.length - 1 !== (patch.times ?? 1)) {
      throw new Error(
        `${mutant.guard}: ${parts.length - 1} places in mashup.${patch.function} instead of ${patch.times ?? 1}; correct the patch.`,
      );
    }
    await sql.unsafe(parts.join(patch.to));
  }
}

async function testMutant(mutant: Mutant): Promise<Outcome> {
  const cleanUps: (() => Promise<void>)[] = [];
  const scope = { after: (cleanUp: () => Promise<void>): void => void cleanUps.unshift(cleanUp) };
  try {
    if (mutant.shownBy === 'stress') {
      const started = performance.now();
      const error = await runConcurrentCalls(scope, CONCURRENT_SECONDS, (sql) => mutate(sql, mutant)).then(
        () => undefined,
        (reason: unknown) => reason as Error,
      );
      const seconds = `${((performance.now() - started) / 1_000).toFixed(0)} s of concurrent calls`;
      return { guard: mutant.guard, killed: error !== undefined, after: seconds, by: shortOf(error?.message) };
    }
    const fixture = await openModelFixture(scope, await useDatabase(scope), (sql) => mutate(sql, mutant));
    const report = await runSequences(fixture, { seed: SEED, count: MAX_SEQUENCES, drainEvery: 3, shrink: false });
    const reason = report.failure?.split('\n').at(-1);
    return {
      guard: mutant.guard,
      killed: report.failure !== undefined,
      after: `${report.sequences} sequences`,
      by: shortOf(reason),
    };
  } finally {
    for (const cleanUp of cleanUps) await cleanUp();
  }
}

const shortOf = (text: string | undefined): string =>
  (text ?? '')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, 110);

const wanted = process.argv.slice(2);
const mutants = MUTANTS.filter((mutant) => wanted.length === 0 || wanted.some((part) => mutant.guard.includes(part)));
const cluster = await startTestCluster();
process.env[TEST_CLUSTER_ENV] = cluster.superuserUrl;
const outcomes: Outcome[] = [];
try {
  const control = await testMutant(CONTROL);
  if (control.killed) throw new Error(`The test fails with every guard in place: ${control.by}`);
  console.log(`passed   ${CONTROL.guard.padEnd(52)} ${control.after}`);
  for (const mutant of mutants) {
    const outcome = await testMutant(mutant);
    outcomes.push(outcome);
    console.log(
      `${outcome.killed ? 'killed  ' : 'SURVIVED'} ${outcome.guard.padEnd(52)} ${outcome.after.padEnd(16)} ${outcome.by}`,
    );
  }
} finally {
  await cluster.stop();
}
const survivors = outcomes.filter((outcome) => !outcome.killed).length;
console.log(`${outcomes.length - survivors} of ${outcomes.length} mutants killed`);
process.exitCode = survivors === 0 ? 0 : 1;

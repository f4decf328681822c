/**
 * Takes one guard after the other out of a copy of the database and shows that the model test, or the storm, notices.
 *
 *   node scripts/mutate-guards.ts [part of a guard's name …]
 *
 * First with nothing taken out, which must pass. Prints a table; ends with 1 if any mutant survives.
 */
import type postgres from 'postgres';
import { CONTROL, MUTANTS, type Mutant } from '../tests/model/mutations/guards.ts';
import { runSequences } from '../tests/model/sequences.ts';
import { storm } from '../tests/model/concurrent-calls.ts';
import { openWorld } from '../tests/model/model-fixture.ts';
import { startTestCluster, TEST_CLUSTER_ENV, useDatabase } from '../tests/support/postgres.ts';

/** Sequences after which a mutant counts as having survived. */
const MAX_SEQUENCES = 120;
const STORM_SECONDS = 10;
const SEED = 7_000;

interface Verdict {
  guard: string;
  killed: boolean;
  after: string;
  by: string;
}

/** Puts the patched functions in place of the whole ones. */
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

async function attackMutant(mutant: Mutant): Promise<Verdict> {
  const cleanUps: (() => Promise<void>)[] = [];
  const scope = { after: (cleanUp: () => Promise<void>): void => void cleanUps.unshift(cleanUp) };
  try {
    if (mutant.shownBy === 'stress') {
      const started = performance.now();
      const error = await storm(scope, STORM_SECONDS, (sql) => mutate(sql, mutant)).then(
        () => undefined,
        (reason: unknown) => reason as Error,
      );
      const seconds = `${((performance.now() - started) / 1_000).toFixed(0)} s of storm`;
      return { guard: mutant.guard, killed: error !== undefined, after: seconds, by: shortOf(error?.message) };
    }
    const world = await openWorld(scope, await useDatabase(scope), (sql) => mutate(sql, mutant));
    const report = await runSequences(world, { seed: SEED, count: MAX_SEQUENCES, drainEvery: 3, shrink: false });
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
const verdicts: Verdict[] = [];
try {
  const control = await attackMutant(CONTROL);
  if (control.killed) throw new Error(`The test fails with every guard in place: ${control.by}`);
  console.log(`passed   ${CONTROL.guard.padEnd(52)} ${control.after}`);
  for (const mutant of mutants) {
    const verdict = await attackMutant(mutant);
    verdicts.push(verdict);
    console.log(
      `${verdict.killed ? 'killed  ' : 'SURVIVED'} ${verdict.guard.padEnd(52)} ${verdict.after.padEnd(16)} ${verdict.by}`,
    );
  }
} finally {
  await cluster.stop();
}
const survivors = verdicts.filter((verdict) => !verdict.killed).length;
console.log(`${verdicts.length - survivors} of ${verdicts.length} mutants killed`);
process.exitCode = survivors === 0 ? 0 : 1;

/** The model test, in two sizes. */
import assert from 'node:assert/strict';
import { type CleanUpScope, useDatabase } from '../support/postgres.ts';
import { formatCoverage, tooRare } from './coverage.ts';
import { runInParallel } from './sequences.ts';
import { openModelFixture } from './model-fixture.ts';

/** Databases that are tested in parallel: one core runs the model while the other runs Postgres. */
const PARALLEL_DATABASES = 2;
const DEFAULT_SEED = 20_261_122;

/**
 * Runs sequences and prints their coverage. Fails on any difference, and if a transition or fault occurred too rarely.
 * MASHUP_MODEL_SEED sets another seed. MASHUP_MODEL_SEQUENCES sets another number of sequences; coverage is then not required.
 * @param minShare fewest occurrences of each transition and fault, for each sequence
 */
export async function runModelTest(scope: CleanUpScope, sequences: number, minShare: number): Promise<void> {
  const wanted = Number(process.env.MASHUP_MODEL_SEQUENCES ?? sequences);
  const seed = Number(process.env.MASHUP_MODEL_SEED ?? DEFAULT_SEED);
  const fixtures = [];
  for (let lane = 0; lane < PARALLEL_DATABASES; lane++)
    fixtures.push(await openModelFixture(scope, await useDatabase(scope)));
  const report = await runInParallel(fixtures, { seed, count: wanted, drainEvery: 6 });
  console.log(formatCoverage(report));
  assert.equal(report.failure, undefined, report.failure);
  if (wanted === sequences) assert.deepEqual(tooRare(report, minShare), []);
}

/** The model test, in either size. */
import assert from 'node:assert/strict';
import { type CleanUpScope, useDatabase } from '../support/postgres.ts';
import { explain, missed } from './coverage.ts';
import { runLanes } from './sequences.ts';
import { openWorld } from './model-fixture.ts';

/** Databases attacked side by side: one core runs the model while the other runs Postgres. */
const LANES = 2;
const DEFAULT_SEED = 20_261_122;

/**
 * Runs sequences, prints what they hit, and fails on any disagreement or where something was hit too seldom.
 * MASHUP_MODEL_SEED starts elsewhere; MASHUP_MODEL_SEQUENCES runs another number, without the count of hits.
 */
export async function attack(scope: CleanUpScope, sequences: number): Promise<void> {
  const wanted = Number(process.env.MASHUP_MODEL_SEQUENCES ?? sequences);
  const seed = Number(process.env.MASHUP_MODEL_SEED ?? DEFAULT_SEED);
  const worlds = [];
  for (let lane = 0; lane < LANES; lane++) worlds.push(await openWorld(scope, await useDatabase(scope)));
  const report = await runLanes(worlds, { seed, count: wanted, drainEvery: 6 });
  console.log(explain(report));
  assert.equal(report.failure, undefined, report.failure);
  if (wanted === sequences) assert.deepEqual(missed(report), []);
}

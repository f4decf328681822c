import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { useDatabase } from '../support/postgres.ts';
import { explain, missed } from './coverage.ts';
import { runSequences } from './sequences.ts';
import { openWorld } from './world.ts';

const SEQUENCES = Number(process.env.MASHUP_MODEL_SEQUENCES ?? 300);
const SEED = Number(process.env.MASHUP_MODEL_SEED ?? 20_261_122);

describe('the state machine', () => {
  it('does what its model says in random sequences of commands, and breaks no invariant', async () => {
    const db = await useDatabase({ after });
    const world = await openWorld({ after }, db);
    const report = await runSequences(world, { seed: SEED, count: SEQUENCES, drainEvery: 4 });
    console.log(explain(report));
    assert.equal(report.failure, undefined, report.failure);
    assert.deepEqual(missed(report), []);
  });
});

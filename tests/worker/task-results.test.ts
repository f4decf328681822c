import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TASK_KINDS } from '../../schema.ts';
import { TASK_RESULTS } from '../../schema/task-results.ts';
import { sampleResult } from '../support/sample-results.ts';

describe('results of tasks', () => {
  it('have a schema for every kind of task', () => {
    assert.deepEqual(Object.keys(TASK_RESULTS), [...TASK_KINDS]);
  });

  it('of the tests have the form that workers send', () => {
    for (const kind of TASK_KINDS) {
      const task = {
        kind,
        song_id: 'a',
        songs: ['a', 'b'].map((id) => ({ song_id: id, state: 'ready' })),
        output_prefix: 'x',
      };
      assert.deepEqual(TASK_RESULTS[kind].safeParse(sampleResult(task)).error, undefined, kind);
    }
  });

  it('require an analysis or the id of a cached one', () => {
    const base = { content_hash: 'abc', version: '1', card: { bpm: 120, key: 'A minor' } };
    assert.ok(TASK_RESULTS.analyze.safeParse({ ...base, analysis_id: '7' }).success);
    assert.ok(TASK_RESULTS.analyze.safeParse({ ...base, analysis: { version: '1' } }).success);
    assert.ok(!TASK_RESULTS.analyze.safeParse(base).success);
  });

  it('require the paths of all stems or the id of cached ones', () => {
    const paths = { vocals: 'v', drums: 'd', bass: 'b', other: 'o' };
    assert.ok(TASK_RESULTS.separate.safeParse({ stems_id: '7', from_cache: true }).success);
    assert.ok(TASK_RESULTS.separate.safeParse({ model: 'repet', paths }).success);
    assert.ok(!TASK_RESULTS.separate.safeParse({ model: 'repet', paths: { vocals: 'v' } }).success);
  });

  it('require the songs of a plan', () => {
    const plan = { plan: {}, source: 'rules', song_ids: ['a', 'b'] };
    assert.ok(TASK_RESULTS.plan.safeParse(plan).success);
    assert.ok(!TASK_RESULTS.plan.safeParse({ ...plan, song_ids: [] }).success);
    assert.ok(!TASK_RESULTS.plan.safeParse({ ...plan, source: 'guess' }).success);
  });
});

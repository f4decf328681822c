/** Services that nobody calls, or has just called in vain: what the checks of the workers say of them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useMachine } from './state-machine-fixture.ts';
import type { Machine } from './state-machine-fixture.ts';

const report = (m: Machine, service: string, error: string | null = null): Promise<unknown> =>
  m.sql`select mashup.report_service_check(${service}, ${error})`;

async function due(m: Machine): Promise<unknown> {
  const [row] = await m.sql`select mashup.services_to_check() as due`;
  return row?.['due'];
}

async function conditionOf(m: Machine, service: string): Promise<unknown> {
  const [row] = await m.sql`select condition from mashup.circuits where service = ${service}`;
  return row?.['condition'];
}

describe('a check of a service', () => {
  it('is made by one worker, and sooner again where there was no answer', async (t) => {
    const m = await useMachine(t);
    const all = ['analysis', 'orchestrator', 'processing', 'scoring', 'separation', 'storage'];
    assert.deepEqual(await due(m), all);
    assert.deepEqual(await due(m), []);
    await report(m, 'scoring', 'The scoring service cannot be reached.');
    for (const service of all.filter((name) => name !== 'scoring')) await report(m, service);
    await m.moveClock(6);
    assert.deepEqual(await due(m), ['scoring']);
    await m.moveClock(37);
    assert.deepEqual(await due(m), all);
  });

  it('shows that a service that nobody calls is there, or not, and that nobody has asked', async (t) => {
    const m = await useMachine(t);
    assert.equal(await conditionOf(m, 'scoring'), 'not_heard');
    await report(m, 'scoring');
    assert.equal(await conditionOf(m, 'scoring'), 'available');
    await report(m, 'scoring', 'It is away.');
    assert.equal(await conditionOf(m, 'scoring'), 'not_answering');
    const [shown] = await m.sql`select last_error from mashup.circuits where service = 'scoring'`;
    assert.equal(shown?.['last_error'], 'It is away.');
    await report(m, 'scoring');
    assert.equal(await conditionOf(m, 'scoring'), 'available');
    await m.moveClock(120);
    assert.equal(await conditionOf(m, 'scoring'), 'not_heard');
  });

  it('says nothing against a service that works', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    assert.ok(await m.claimNext(worker, await m.submit(await m.user(), 2)));
    await report(m, 'analysis', 'The analysis service did not respond within 5 s.');
    assert.equal(await conditionOf(m, 'analysis'), 'available');
  });

  it('without an answer takes the estimate back, as the first call without one does, until there is an answer', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    const note = async (): Promise<unknown[]> => {
      await m.sweep();
      const job = await m.job(id);
      return [job.estimated_completion_at !== null, job.estimate_note];
    };
    const away = (name: string): unknown[] => [false, `The time left is known when the ${name} service is back.`];
    await report(m, 'processing', 'It is away.');
    assert.deepEqual(await note(), away('rendering'), 'a service of a later stage');
    await report(m, 'processing');
    assert.deepEqual(await note(), [true, null]);

    const task = await m.claimNext(worker, id);
    assert.ok(task);
    await m.fail(task, 'unavailable');
    assert.deepEqual(await note(), away('analysis'), 'long before its circuit opens');
    const [health] = await m.sql`select state from mashup.service_health where service = 'analysis'`;
    assert.equal(health?.['state'], 'closed');
    await report(m, 'analysis');
    assert.deepEqual(await note(), [true, null]);
    await m.sql`update mashup.tasks set run_at = mashup.now() where state = 'waiting'`;
    await m.run(worker);
    assert.equal((await m.job(id)).stage, 'complete');
  });

  it('that has an answer again makes an open circuit due for its probe', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.sql`update mashup.settings set value = '1' where name = 'circuit_failures'`;
    await m.sql`update mashup.settings set value = '300' where name = 'circuit_open_sec'`;
    const id = await m.submit(await m.user(), 2);
    const task = await m.claimNext(worker, id);
    assert.ok(task);
    await m.fail(task, 'unavailable');
    await m.moveClock(30);
    await m.sweep();
    const probes = async (): Promise<unknown> => {
      const [row] = await m.sql`select count(*)::int as n from mashup.tasks where job_id = ${id} and is_probe`;
      return row?.['n'];
    };
    assert.equal(await probes(), 0);
    await report(m, 'analysis');
    await m.sweep();
    assert.equal(await probes(), 1);
  });
});

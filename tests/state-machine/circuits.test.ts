import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useMachine } from './state-machine-fixture.ts';

describe('a circuit', () => {
  it('opens on availability faults, counts no attempt of waiting tasks, and closes after one successful probe', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    for (let i = 0; i < 5; i++) {
      const task = await m.claimNext(worker, id);
      assert.ok(task, `fault ${i + 1}`);
      await m.fail(task, 'unavailable');
      await m.sql`update mashup.tasks set run_at = mashup.now() where state = 'waiting'`;
      await m.sweep();
    }
    const [health] = await m.sql`select state, opens from mashup.service_health where service = 'analysis'`;
    assert.deepEqual({ ...health }, { state: 'open', opens: 1 });
    const rest = await m.ready(id);
    for (const task of rest) {
      const claimed = await m.claim(worker, task);
      if (claimed.status === 'claimed') await m.fail(claimed, 'unavailable');
    }
    await m.sweep();
    assert.equal((await m.ready(id)).length, 0);
    const waiting = await m.job(id);
    assert.equal(waiting.waiting_on, 'circuit');
    assert.equal(waiting.current_step, 'Waiting for the analysis service; the time left is known when it is back.');
    assert.equal(waiting.estimated_completion_at, null);

    await m.moveClock(60);
    await m.sql`update mashup.tasks set run_at = mashup.now() where state = 'waiting'`;
    await m.sweep();
    const probes = await m.ready(id);
    assert.equal(probes.length, 1, 'one probe');
    const probe = await m.claimNext(worker, id);
    assert.ok(probe);
    await m.finish(probe);
    const [closed] = await m.sql`select state, failures from mashup.service_health where service = 'analysis'`;
    assert.deepEqual({ ...closed }, { state: 'closed', failures: 0 });
    assert.ok(await m.claimNext(worker, id));
    assert.ok((await m.job(id)).estimated_completion_at, 'the service is back, and so is the estimate');
    await m.sql`select mashup.retry((mashup.cancel(${id})).id)`;
    await m.run(worker);
    assert.equal((await m.job(id)).stage, 'complete');
  });

  it('of a later stage takes the estimate of running jobs back at once, names the service, and gives the estimate back', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const [running, queued] = [await m.submit(await m.user(), 2), await m.submit(await m.user(), 2)];
    await m.sql`update mashup.tasks set run_at = mashup.now() + interval '1 hour' where job_id = ${queued}`;
    assert.ok(await m.claimNext(worker, running));
    const estimate = async (id: string): Promise<unknown[]> => {
      const job = await m.job(id);
      return [job.stage, job.waiting_on === 'circuit', job.estimated_completion_at !== null, job.estimate_note];
    };
    assert.deepEqual(await estimate(running), ['analyzing', false, true, null]);
    const away = 'The time left is known when the rendering service is back.';
    await m.sql`update mashup.service_health set state = 'open', retry_at = mashup.now() + interval '4 minutes' where service = 'processing'`;
    await m.sweep();
    for (const id of [running, queued]) assert.deepEqual(await estimate(id), ['analyzing', false, false, away]);

    await m.sql`update mashup.service_health set state = 'open', retry_at = mashup.now() + interval '4 minutes' where service = 'orchestrator'`;
    await m.sweep();
    assert.equal(
      (await m.job(running)).estimate_note,
      'The time left is known when the planning and rendering services are back.',
    );
    await m.sql`update mashup.service_health set state = 'closed', retry_at = null`;
    await m.sweep();
    for (const id of [running, queued]) assert.deepEqual(await estimate(id), ['analyzing', false, true, null]);

    await m.sql`select mashup.pause('service', 'separation', 'maintenance')`;
    await m.sweep();
    const paused = 'The time left is known when the operator ends the pause.';
    assert.deepEqual(await estimate(running), ['analyzing', false, false, paused]);
    await m.sql`select mashup.resume('service', 'separation')`;
    await m.sweep();
    assert.deepEqual(await estimate(running), ['analyzing', false, true, null]);
    await m.sql`update mashup.tasks set run_at = mashup.now() where job_id = ${queued}`;
    await m.run(worker);
  });

  it('leaves the estimate empty until its probe is answered, or it is due for a probe that no task can be', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    const render = await m.run(worker, (task) => task.kind === 'render');
    assert.ok(render);
    const note = async (change: string): Promise<string | null> => {
      await m.sql.unsafe(`update mashup.service_health set ${change} where service = 'processing'`);
      await m.sweep();
      const job = await m.job(id);
      assert.equal(job.estimated_completion_at === null, job.estimate_note !== null);
      return job.estimate_note;
    };
    const away = 'The time left is known when the rendering service is back.';
    assert.equal(await note(`state = 'open', retry_at = mashup.now() + interval '4 minutes'`), away);
    assert.equal(await note(`retry_at = mashup.now()`), null, 'due');
    await m.sql`update mashup.tasks set is_probe = true where id = ${render.task_id}`;
    assert.equal(await note(`state = 'half_open', probe_task = ${Number(render.task_id)}`), away);
    await m.sql`select mashup.heartbeat_task(${render.task_id}, ${render.claim}, 12, 'Mixing')`;
    assert.equal(await note(`updated_at = mashup.now()`), null, 'answered');
    await m.finish(render);
    assert.equal((await m.job(id)).stage, 'complete');
  });

  it('does not concern the estimate of a job that needs its service no more', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    await m.run(worker, (task) => task.kind === 'separate');
    await m.sql`update mashup.service_health set state = 'open', retry_at = mashup.now() + interval '4 minutes'
      where service in ('analysis', 'scoring', 'orchestrator')`;
    await m.sweep();
    const job = await m.job(id);
    assert.deepEqual([job.estimated_completion_at !== null, job.estimate_note], [true, null]);
  });

  it('spreads the tasks that return when it closes, and not when it was never open', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    const isSpread = async (): Promise<boolean | undefined> => {
      const [row] = await m.sql`
        select t.run_at > h.updated_at as spread from mashup.tasks t, mashup.service_health h
        where t.state = 'ready' and t.job_id = ${id} and h.service = 'analysis'`;
      return row?.spread;
    };
    // One place, so that the second song is dispatched when the first ends.
    await m.sql`update mashup.settings set value = '{"analysis": 1}' where name = 'service_limits'`;
    await m.sql`update mashup.tasks set state = 'waiting' where job_id = ${id} and state = 'ready'`;
    await m.sql`update mashup.service_health set failures = 1, last_error = 'briefly unavailable' where service = 'analysis'`;
    const first = await m.claimNext(worker, id);
    assert.ok(first);
    await m.finish(first);
    assert.equal(await isSpread(), false);

    await m.sql`update mashup_jobs set stage = 'analyzing' where id = ${id}`;
    await m.sql`update mashup.service_health set state = 'half_open', failures = 5, opens = 1, last_error = 'unavailable',
      probe_task = (select id from mashup.tasks where job_id = ${id} and state = 'ready') where service = 'analysis'`;
    await m.sql`update mashup.tasks set is_probe = true where job_id = ${id} and state = 'ready'`;
    const probe = await m.claimNext(worker, id);
    assert.ok(probe);
    await m.finish(probe);
    assert.equal(await isSpread(), true);
  });

  it('of Storage opens at once for a refused key, holds every task that uses files, and names the key', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    const first = await m.claimNext(worker, id);
    assert.ok(first);
    await m.sql`select mashup.fail_task(${first.task_id}, ${first.claim}, 'storage_key_rejected', 'Storage refuses the key.',
      'Set the key.', 'refused', p_service => 'storage', p_spends => false)`;
    const [other] = await m.ready(id);
    assert.ok(other);
    assert.deepEqual(await m.claim(worker, other), { status: 'deferred', reason: 'circuit' });
    await m.sweep();
    const waiting = await m.job(id);
    assert.deepEqual(
      [waiting.waiting_on, waiting.current_step],
      ['circuit', 'Waiting for the file storage; the time left is known when it is back.'],
    );
    const [stuck] = await m.sql`select why from mashup.stuck where id = ${id}`;
    assert.match(String(stuck?.why), /storage \(Storage refuses the key/);
    await m.moveClock(60);
    await m.sweep();
    const probe = await m.claimNext(worker, id);
    assert.ok(probe, 'one probe');
    assert.equal((await m.ready(id)).length, 0);
    await m.finish(probe);
    await m.run(worker);
    assert.equal((await m.job(id)).stage, 'complete');
    const [spent] = await m.sql`select max(failures) as failures from mashup.tasks`;
    assert.equal(spent?.failures, 0);
  });

  it('waits at least as long as its service asks for', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.sql`update mashup.settings set value = '1' where name = 'circuit_failures'`;
    const id = await m.submit(await m.user(), 2);
    const task = await m.claimNext(worker, id);
    assert.ok(task);
    await m.sql`select mashup.fail_task(${task.task_id}, ${task.claim}, 'service_unavailable', '503', 'Later.', 'unavailable',
      p_retry_after_sec => 120, p_spends => false)`;
    const [health] = await m.sql`
      select state, extract(epoch from retry_at - mashup.now())::int as wait from mashup.service_health where service = 'analysis'`;
    assert.deepEqual({ ...health }, { state: 'open', wait: 120 });
  });

  it('spends an attempt of a task whose service answered right before, also while it is open', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.sql`update mashup.settings set value = '1' where name = 'circuit_failures'`;
    const id = await m.submit(await m.user(), 2);
    for (const [wasAnswering, spent] of [
      [false, 0],
      [true, 1],
    ] as const) {
      await m.sql`update mashup.service_health set state = 'closed', failures = 0`;
      const task = await m.claimNext(worker, id);
      assert.ok(task);
      await m.sql`select mashup.fail_task(${task.task_id}, ${task.claim}, 'service_connection_lost', 'It was lost.', 'Later.', 'unavailable',
        p_answering => ${wasAnswering})`;
      const [row] = await m.sql`select failures from mashup.tasks where id = ${task.task_id}`;
      assert.equal(row?.['failures'], spent);
    }
  });

  it('is not opened by bad files', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const user = await m.user();
    for (let i = 0; i < 8; i++) {
      const id = await m.submit(user, 2);
      const task = await m.claimNext(worker, id);
      assert.ok(task);
      await m.fail(task, 'permanent', 'audio_damaged');
    }
    const [health] = await m.sql`select state, failures from mashup.service_health where service = 'analysis'`;
    assert.deepEqual({ ...health }, { state: 'closed', failures: 0 });
  });

  it('continues planning without its service after fallback_after_sec', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.sql`update mashup.service_health set state = 'open', failures = 9, retry_at = now() + interval '5 minutes' where service = 'orchestrator'`;
    const id = await m.submit(await m.user(), 2);
    await m.run(worker);
    assert.deepEqual([(await m.job(id)).stage, (await m.job(id)).waiting_on], ['planning', 'circuit']);
    await m.moveClock(61);
    await m.sweep();
    const task = await m.claimNext(worker, id);
    assert.equal(task?.kind, 'plan');
    assert.equal(task?.fallback, true);
  });
});

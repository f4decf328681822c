import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { REPLAY_STAGES } from '../../schema/stages.ts';
import { useMachine } from './state-machine-fixture.ts';

const folder = join(import.meta.dirname, '..', '..', 'sql');

it('every file of sql/ starts with a comment, and runs as one statement with one result', async (t) => {
  const m = await useMachine(t);
  await m.submit(await m.user(), 2);
  await m.run(await m.worker());
  const files = await readdir(folder);
  assert.ok(files.length >= 17);
  for (const file of files) {
    const text = await readFile(join(folder, file), 'utf8');
    assert.match(text, /^-- \w/, file);
    // The hosted SQL editor shows only the result of the last statement. The extended protocol refuses a second one.
    const result = await m.sql.unsafe(text, [], { prepare: true });
    assert.ok(result.columns.length > 0, file);
  }
});

it('the views show what runs, what is stuck and why, and what failed', async (t) => {
  const m = await useMachine(t);
  const worker = await m.worker();
  const id = await m.submit(await m.user(), 2);
  const task = await m.claimNext(worker, id);
  assert.ok(task);
  const [running] = await m.sql`select kind, song, heartbeat_age_sec::float8 as age from mashup.running_now`;
  assert.equal(running?.kind, 'analyze');
  assert.match(running?.song, /^Song/);
  assert.ok(running?.age < 5);
  assert.equal((await m.sql`select * from mashup.stuck`).length, 0);

  await m.sql`select mashup.pause('job', ${id})`;
  await m.moveClock(120);
  const [stuck] = await m.sql`select id, why from mashup.stuck`;
  assert.equal(stuck?.id, id);
  assert.match(stuck?.why, /silent|ready for over a minute/);

  await m.fail(task, 'permanent', 'audio_silent');
  const [failure] = await m.sql`select error_code, failed_in, jobs::int from mashup.failures`;
  assert.deepEqual({ ...failure }, { error_code: 'audio_silent', failed_in: 'analyze', jobs: 1 });
  const story = await m.sql`select what from mashup.job_history(${id})`;
  assert.deepEqual(
    story.map((row) => row.what),
    ['submitted', 'stage', 'error'],
  );
});

it('a job that waits for a slot while it is paused says so, and again that it waits once it may go on', async (t) => {
  const m = await useMachine(t);
  await m.sql`update mashup.settings set value = '0' where name = 'max_running_jobs'`;
  const id = await m.submit(await m.user(), 2);
  const waits = async (): Promise<unknown> => {
    const [row] = await m.sql`select waiting_on, current_step, queue_position from mashup_jobs where id = ${id}`;
    return { ...row };
  };
  const sweepAt = async (seconds: number): Promise<void> => {
    await m.moveClock(seconds);
    await m.sql`select mashup.sweep()`;
  };
  await m.sql`select mashup.pause('system', '', 'maintenance')`;
  const [stuck] = await m.sql`select id, why from mashup.stuck`;
  assert.deepEqual(
    { ...stuck },
    {
      id,
      why: "Paused (system): maintenance. To go on: select mashup.resume('system', '').",
    },
  );
  await sweepAt(6);
  assert.deepEqual(await waits(), { waiting_on: 'pause', current_step: 'Paused by the operator', queue_position: 1 });
  await m.sql`select mashup.resume('system', '')`;
  await sweepAt(12);
  assert.deepEqual(await waits(), { waiting_on: 'slot', current_step: 'Waiting for a free slot', queue_position: 1 });
  assert.equal((await m.sql`select * from mashup.stuck`).length, 0);
});

it('the time between an end and a replay is not a time in a stage', async (t) => {
  const m = await useMachine(t);
  const worker = await m.worker();
  const id = await m.submit(await m.user(), 2);
  await m.run(worker);
  await m.moveClock(3_600);
  await m.sql`update mashup_jobs set stage = 'rendering' where id = ${id}`;
  await m.run(worker);
  const stages = await m.sql`select stage, max_sec::float8 as max from mashup.throughput('1 day')`;
  assert.deepEqual(
    stages.map(({ stage }) => stage),
    [...REPLAY_STAGES],
  );
  assert.ok(stages.every(({ max }) => max < 600));
});

it('the overview counts live jobs, and ended ones of the last day by stage and hour', async (t) => {
  const m = await useMachine(t);
  await m.sql`update mashup.settings set value = '100' where name like 'max_%jobs%'`;
  const user = await m.user();
  const ids: string[] = [];
  for (let n = 0; n < 9; n++) ids.push(await m.submit(user, 2));
  // At both sides of the limits of an hour, of the oldest hour that is shown, and of the day.
  const ends = ['0 s', '1 hour', '59 minutes 59 s', '22 hours 30 minutes', '23 hours', '23 hours 1 s', '25 hours'];
  await m.sql.begin(async (tx) => {
    // No triggers: rows of ended jobs are wanted as they are.
    await tx`alter table mashup_jobs disable trigger user`;
    for (const [n, end] of ends.entries()) {
      const stage = n % 2 ? 'failed' : 'cancelled';
      await tx`
        update mashup_jobs set stage = ${stage}, status = ${stage}, error_code = ${n % 2 ? 'unknown' : null}, admitted_at = null,
          finished_at = date_trunc('hour', now()) - ${end}::text::interval where id = ${ids[n] ?? ''}`;
    }
    await tx`alter table mashup_jobs enable trigger user`;
  });
  const [row] = await m.sql`
    select o.shown -> 'stages' as stages, o.shown -> 'hours' as hours,
      (select jsonb_agg(jsonb_build_object('stage', s.stage, 'is_terminal', s.is_terminal, 'jobs', (select count(*) from mashup_jobs j
        where j.stage = s.stage and (not s.is_terminal or j.finished_at > now() - interval '1 day'))) order by s.position) from mashup.stages s) as right_stages,
      (select jsonb_agg(jsonb_build_object('from', h.hour,
          'complete', (select count(*) from mashup_jobs j where j.stage = 'complete' and j.finished_at >= h.hour and j.finished_at < h.hour + interval '1 hour'),
          'failed', (select count(*) from mashup_jobs j where j.stage = 'failed' and j.finished_at >= h.hour and j.finished_at < h.hour + interval '1 hour'),
          'cancelled', (select count(*) from mashup_jobs j where j.stage = 'cancelled' and j.finished_at >= h.hour and j.finished_at < h.hour + interval '1 hour')) order by h.hour)
        from generate_series(date_trunc('hour', now()) - interval '23 hours', date_trunc('hour', now()), interval '1 hour') h (hour)) as right_hours
    from (select operator_overview() as shown) o`;
  assert.deepEqual(row?.stages, row?.right_stages);
  assert.deepEqual(row?.hours, row?.right_hours);
  const [times] = await m.sql`
    select operator_throughput() as shown, (select jsonb_agg(to_jsonb(t)) from mashup.throughput() t) as right_times`;
  assert.deepEqual(times?.shown, times?.right_times);
});

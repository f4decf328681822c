/** Faults that the model test found in the state machine, one test each. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import postgres from 'postgres';
import { type ClaimedTask, type Machine, resultOf, useMachine } from '../state-machine/state-machine-fixture.ts';

async function health(m: Machine, service: string) {
  const [row] = await m.sql`select state, probe_task, opens from mashup.service_health where service = ${service}`;
  return { state: row?.state, probe: row?.probe_task };
}

/** Opens a service's circuit so long ago that a probe is due, and schedules. */
async function openCircuit(m: Machine, service: string): Promise<void> {
  await m.sql`update mashup.service_health set state = 'open', failures = 5, opens = 1, opened_at = mashup.now() - interval '1 hour',
    retry_at = mashup.now() - interval '1 second' where service = ${service}`;
}

async function claimKind(m: Machine, worker: string, kind: string, jobId?: string): Promise<ClaimedTask> {
  for (const task of await m.ready(jobId)) {
    if (task.kind !== kind) continue;
    const result = await m.claim(worker, task);
    assert.equal(result.status, 'claimed');
    if (result.status === 'claimed') return result;
  }
  throw new Error(`no ready ${kind} task`);
}

/** Finishes every ready task except those of one kind. */
async function runAllBut(m: Machine, worker: string, kind: string, jobId: string): Promise<void> {
  for (;;) {
    const task = (await m.ready(jobId)).find((ready) => ready.kind !== kind);
    if (!task) return;
    const result = await m.claim(worker, task);
    if (result.status !== 'claimed') return;
    await m.finish(result);
  }
}

describe('a half-open circuit opens again when its probe cannot return', () => {
  const ends: Record<string, (m: Machine, worker: string, id: string) => Promise<unknown>> = {
    'because it was paused before it was claimed': async (m, worker, id) => {
      await m.sql`select mashup.pause('kind', 'analyze')`;
      const [probe] = await m.ready(id);
      assert.ok(probe);
      assert.deepEqual(await m.claim(worker, probe), { status: 'deferred', reason: 'paused' });
      await m.sql`select mashup.resume('kind', 'analyze')`;
    },
    'because it took longer than it may': async (m, worker, id) => {
      const probe = await m.claimNext(worker, id);
      assert.ok(probe);
      await m.sql`update mashup.tasks set deadline_at = mashup.now() - interval '1 minute' where id = ${probe.task_id}`;
      await m.sweep();
    },
    'because it killed its workers': async (m, worker, id) => {
      const probe = await m.claimNext(worker, id);
      assert.ok(probe);
      await m.sql`update mashup.tasks set crashes = 3, solo_crashes = 1 where id = ${probe.task_id}`;
      await m.sql`update mashup.workers set seen_at = mashup.now() - interval '1 hour' where id = ${worker}`;
      await m.submit(await m.user(), 2);
      await m.sweep();
      assert.equal((await m.job(id)).stage, 'failed');
    },
    'because its job was deleted': async (m, worker, id) => {
      assert.ok(await m.claimNext(worker, id));
      await m.submit(await m.user(), 2);
      await m.sql`delete from mashup_jobs where id = ${id}`;
    },
    'because its job was replayed': async (m, worker, id) => {
      assert.ok(await m.claimNext(worker, id));
      await m.sql`update mashup.settings set value = '{}' where name = 'service_abort_hold_sec'`;
      await m.sql`update mashup_jobs set stage = 'analyzing' where id = ${id}`;
    },
    'because its worker stopped': async (m, worker, id) => {
      assert.ok(await m.claimNext(worker, id));
      await m.sql`select mashup.deregister_worker(${worker})`;
    },
  };
  for (const [name, end] of Object.entries(ends)) {
    it(name, async (t) => {
      const m = await useMachine(t);
      const worker = await m.worker();
      await openCircuit(m, 'analysis');
      const id = await m.submit(await m.user(), 2);
      const before = await health(m, 'analysis');
      assert.equal(before.state, 'half_open');
      await end(m, worker, id);
      await m.sql`update mashup.tasks set run_at = mashup.now() where state = 'waiting'`;
      await m.sweep();
      const [probe] = await m.sql`
        select t.id, t.state from mashup.service_health h join mashup.tasks t on t.id = h.probe_task
        where h.service = 'analysis' and t.is_probe and t.state in ('ready', 'running')`;
      assert.ok(probe, `another probe; the circuit is ${JSON.stringify(await health(m, 'analysis'))}`);
    });
  }

  it('closes when the probe finds that two songs are the same recording', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    const [first, second] = [await m.claimNext(worker, id), await m.claimNext(worker, id)];
    assert.ok(first && second);
    await m.finish(first);
    await m.sql`update mashup.service_health set state = 'half_open', probe_task = ${second.task_id} where service = 'analysis'`;
    await m.sql`update mashup.tasks set is_probe = true where id = ${second.task_id}`;
    assert.equal(await m.finish(second, { ...resultOf(second), content_hash: `hash-of-${first.song_id}` }), 'failed');
    assert.equal((await health(m, 'analysis')).state, 'closed');
  });

  it('passes no second probe for faults of calls that were running', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.sql`update mashup.settings set value = '{"analysis": 9}' where name = 'service_limits'`;
    const id = await m.submit(await m.user(), 3);
    const [late] = [await m.claimNext(worker, id)];
    assert.ok(late);
    await m.sql`update mashup.tasks set state = 'waiting', run_at = mashup.now() + interval '9 minutes' where state = 'ready'`;
    await openCircuit(m, 'analysis');
    await m.sql`update mashup.tasks set run_at = mashup.now() where state = 'waiting'`;
    await m.sweep();
    const probe = (await health(m, 'analysis')).probe;
    assert.ok(probe);
    assert.equal(await m.fail(late, 'unavailable'), 'retrying');
    await m.sweep();
    assert.deepEqual(await health(m, 'analysis'), { state: 'half_open', probe });
  });
});

describe('a job is not stuck', () => {
  it('when a song is excluded while a plan that uses it is made', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.sql`update mashup.settings set value = '{"analysis": 3, "scoring": 4, "orchestrator": 4, "separation": 3, "processing": 1}'
      where name = 'service_limits'`;
    await m.sql`update mashup.settings set value = '"always"' where name = 'separate_early'`;
    const id = await m.submit(await m.user(), 3);
    for (let i = 0; i < 3; i++) await m.finish(await claimKind(m, worker, 'analyze', id));
    await m.finish(await claimKind(m, worker, 'score', id));
    const plan = await claimKind(m, worker, 'plan', id);
    await m.fail(await claimKind(m, worker, 'separate', id), 'permanent', 'separation_failed');
    await m.finish(plan);
    const job = await m.job(id);
    assert.deepEqual([job.stage, job.epoch], ['planning', 2], 'planned again, without the song');
    await m.run(worker);
    assert.equal((await m.job(id)).stage, 'complete');
  });

  it('when a plan names songs that are not in the job', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.submit(await m.user(), 2);
    const plan = await m.run(worker, (task) => task.kind === 'plan');
    assert.ok(plan);
    await assert.rejects(m.finish(plan, { ...resultOf(plan), song_ids: ['somebody else’s'] }), { code: 'MB006' });
    await assert.rejects(m.finish(plan, { ...resultOf(plan), song_ids: [] }), { code: 'MB006' });
    assert.equal(await m.finish(plan), 'finished');
  });

  it('when the stems that its songs point to were deleted', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const user = await m.user();
    const parent = await m.submit(user, 2);
    await m.run(worker);
    await m.sql`delete from mashup.stems`;
    const [row] = await m.as(user, (tx) => tx`select public.iterate_mashup(${parent}, 'louder') ->> 'job_id' as id`);
    await m.run(worker);
    assert.equal((await m.job(row?.id)).stage, 'complete');
  });

  it('when the stems that it made are deleted before it renders', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.sql`update mashup.settings set value = '"always"' where name = 'separate_early'`;
    const id = await m.submit(await m.user(), 2);
    const plan = await m.run(worker, (task) => task.kind === 'plan');
    assert.ok(plan);
    await runAllBut(m, worker, 'plan', id);
    await m.sql`delete from mashup.stems`;
    await m.finish(plan);
    assert.equal((await m.job(id)).stage, 'separating');
    await m.run(worker);
    assert.equal((await m.job(id)).stage, 'complete');
  });

  it('when it is retried after a song was excluded', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 3);
    const bad = await m.claimNext(worker, id);
    assert.ok(bad);
    await m.fail(bad, 'permanent', 'audio_silent');
    const render = await m.run(worker, (task) => task.kind === 'render');
    assert.ok(render);
    await m.fail(render, 'permanent', 'render_failed');
    await m.sql`select mashup.retry(${id})`;
    assert.equal((await m.job(id)).stage, 'rendering');
    await m.run(worker);
    assert.equal((await m.job(id)).stage, 'complete');
  });

  it('when it uses cached stems for longer than they are kept', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    await m.run(worker, (task) => task.kind === 'render');
    await m.moveClock(8 * 86_400);
    await m.sweep();
    const [stems] = await m.sql`select count(*)::int as n from mashup.stems`;
    assert.equal(stems?.n, 2);
    assert.equal((await m.job(id)).stage, 'rendering');
  });

  it('when another worker runs a solo task that was reserved by the first', async (t) => {
    const m = await useMachine(t);
    const id = await m.submit(await m.user(), 2);
    const [solo, second] = await m.ready(id);
    assert.ok(solo && second);
    await m.sql`update mashup.tasks set crashes = 2 where id = ${solo.id}`;
    const [busy, free] = [await m.worker(), await m.worker()];
    const held = await m.claim(busy, second);
    assert.ok(held.status === 'claimed');
    assert.equal((await m.claim(busy, solo)).status, 'deferred');
    const again = (await m.ready(id)).find((task) => task.id === solo.id);
    assert.ok(again);
    assert.equal((await m.claim(free, again)).status, 'claimed');
    await m.finish(held);
    await m.submit(await m.user(), 2);
    const [next] = await m.ready();
    assert.ok(next);
    assert.equal((await m.claim(busy, next)).status, 'claimed', 'it waits for nothing any more');
  });
});

describe('a complete job', () => {
  it('leaves no unfinished task for a song that its plan does not use', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.sql`update mashup.settings set value = '"always"' where name = 'separate_early'`;
    const id = await m.submit(await m.user(), 3);
    const score = await m.run(worker, (task) => task.kind === 'score');
    assert.ok(score);
    await m.finish(score);
    const held = await claimKind(m, worker, 'separate', id);
    await m
      .run(worker, (task) => task.kind === 'plan')
      .then((plan) => {
        assert.ok(plan);
        const used = plan.songs.map((song) => song.song_id).filter((song) => song !== held.song_id);
        return m.finish(plan, { ...resultOf(plan), song_ids: used });
      });
    await m.run(worker);
    const done = await m.job(id);
    assert.equal(done.stage, 'complete');
    assert.equal(await m.finish(held), 'lost');
    assert.deepEqual(await m.job(id), done);
    const [live] =
      await m.sql`select count(*)::int as n from mashup.tasks where job_id = ${id} and state in ('waiting', 'ready', 'running')`;
    assert.equal(live?.n, 0);
  });
});

describe('limits are kept', () => {
  it('when a circuit closes while fallback tasks are running', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.sql`update mashup.settings set value = '9' where name in ('max_running_jobs')`;
    await m.sql`update mashup.settings set value = '{"analysis": 9, "scoring": 1, "separation": 1}' where name = 'service_limits'`;
    await m.sql`update mashup.service_health set state = 'open', failures = 5, opens = 9, retry_at = mashup.now() + interval '5 minutes'
      where service = 'scoring'`;
    const jobs: string[] = [];
    for (let i = 0; i < 3; i++) {
      const id = await m.submit(await m.user(), 2);
      jobs.push(id);
      for (let n = 0; n < 2; n++) await m.finish(await claimKind(m, worker, 'analyze', id));
    }
    await m.moveClock(30);
    await m.sweep();
    await m.sql`update mashup.service_health set state = 'closed', failures = 0, retry_at = null where service = 'scoring'`;
    for (const id of jobs) {
      const task = await claimKind(m, worker, 'score', id);
      assert.equal(task.fallback, true, 'it was released to do without the service');
    }
    const [row] = await m.sql`select free from mashup.task_kinds k, mashup.service_capacity(k) where k.kind = 'score'`;
    assert.equal(row?.free, 1, 'and takes no place there');
  });

  it('by an operator’s transaction that keeps its first snapshot', async (t) => {
    const m = await useMachine(t);
    await m.sql`update mashup.settings set value = '1' where name = 'max_running_jobs'`;
    const user = await m.user();
    const old = await m.submit(user, 2);
    await m.sql`update mashup_jobs set stage = 'cancelled' where id = ${old}`;
    await m.sql.begin('isolation level repeatable read', async (tx) => {
      await tx`select count(*) from mashup_jobs`;
      await m.submit(await m.user(), 2);
      await tx`update mashup_jobs set stage = 'analyzing' where id = ${old}`;
    });
    const [running] =
      await m.sql`select count(*)::int as n from mashup_jobs where admitted_at is not null and finished_at is null`;
    assert.equal(running?.n, 1);
    await m.sql`update mashup_jobs set stage = 'cancelled' where id <> ${old}`;
    await m.sweep();
    assert.equal((await m.job(old)).waiting_on, null);
  });

  it('by simultaneous submissions of one user', async (t) => {
    const m = await useMachine(t);
    await m.sql`update mashup.settings set value = '0' where name = 'max_running_jobs'`;
    await m.sql`update mashup.settings set value = '5' where name = 'max_queued_jobs_per_user'`;
    const user = await m.user();
    const answers = await Promise.allSettled(Array.from({ length: 10 }, () => m.submit(user, 2)));
    assert.equal(answers.filter((answer) => answer.status === 'fulfilled').length, 5);
  });
});

describe('the sweep does not wait', () => {
  it('for a console that has locked the iteration of a job to be deleted, nor for an expired pause', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const user = await m.user();
    const parent = await m.submit(user, 2);
    await m.run(worker);
    await m.as(user, (tx) => tx`select public.iterate_mashup(${parent}, 'louder')`);
    await m.run(worker);
    await m.sql`select mashup.pause('kind', 'render', 'soon over', mashup.now() + interval '1 second')`;
    await m.moveClock(400 * 86_400);
    const console = postgres(m.url, { max: 1, onnotice: () => {} });
    try {
      await console`begin`;
      await console`update mashup_jobs set title = 'Mine' where parent_id = ${parent}`;
      await console`update mashup.pauses set reason = 'longer'`;
      await m.sql.begin(async (tx) => {
        await tx`set local lock_timeout = '2s'`;
        const [row] = await tx`select mashup.sweep() as done`;
        assert.ok(row?.done);
      });
    } finally {
      await console`rollback`;
      await console.end();
    }
    for (let round = 0; round < 2; round++) {
      await m.moveClock(401 * 86_400 + round * 120);
      await m.sweep();
    }
    const [left] = await m.sql`select count(*)::int as n from mashup_jobs`;
    assert.equal(left?.n, 0);
  });
});

describe('files', () => {
  it('of a job that is deleted while it runs are deleted again after its worker has stopped writing', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    await m.submit(await m.user(), 2);
    const separate = await m.run(worker, (task) => task.kind === 'separate');
    assert.ok(separate?.output_prefix);
    await m.sql`delete from mashup_jobs where id = ${separate.job_id}`;
    const rows = await m.sql`select 1 from mashup.storage_deletions
      where path = ${separate.output_prefix} and is_prefix and not_before > mashup.now() + interval '10 minutes'`;
    assert.equal(rows.length, 1);
  });

  it('of stems that another job replaced at the same time are deleted', async (t) => {
    const m = await useMachine(t);
    await m.sql`update mashup.settings set value = '{"analysis": 9, "scoring": 9, "orchestrator": 9, "separation": 9}' where name = 'service_limits'`;
    const worker = await m.worker();
    const user = await m.user();
    /** The separate task of the song that both jobs have. */
    async function separateSame(): Promise<ClaimedTask> {
      const id = await m.submit(user, 2);
      const shared = (await m.job(id)).songs[0]?.song_id;
      for (;;) {
        const task = await m.claimNext(worker, id);
        assert.ok(task);
        if (task.kind === 'separate' && task.song_id === shared) return task;
        await m.finish(
          task,
          task.kind === 'analyze' && task.song_id === shared
            ? { ...resultOf(task), content_hash: 'the same' }
            : resultOf(task),
        );
      }
    }
    const [first, second] = [await separateSame(), await separateSame()];
    const pathsOf = (task: ClaimedTask): string[] =>
      Object.values((resultOf(task) as { paths: Record<string, string | string[]> }).paths)
        .flat()
        .sort();
    const other = postgres(m.url, { max: 1, onnotice: () => {} });
    try {
      await other`begin`;
      await other`select mashup.finish_task(${first.task_id}, ${first.claim}, ${other.json(resultOf(first) as never)})`;
      const finishing = m.finish(second);
      for (let isWaiting = false; !isWaiting;) {
        const rows = await other`select from pg_locks where not granted and locktype = 'transactionid'`;
        isWaiting = rows.length > 0;
      }
      await other`commit`;
      assert.equal(await finishing, 'finished');
    } finally {
      await other.end();
    }
    const kept = await m.sql<{ path: string }[]>`
      select f as path from mashup.stems s, mashup.stem_files(s.paths) f where content_hash = 'the same' order by f`;
    assert.deepEqual(
      kept.map(({ path }) => path),
      pathsOf(second),
    );
    const gone = await m.sql<
      { path: string }[]
    >`select path from mashup.storage_deletions where not is_prefix order by path`;
    assert.deepEqual(
      gone.map(({ path }) => path),
      pathsOf(first),
    );
  });
});

describe('rows stay small', () => {
  it('for names in scripts with several bytes for each character, with an excluded song, to the end', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const user = await m.user();
    for (const letter of ['界', '🎵', '\u0001', '"']) {
      const songs = (await m.songs(user, 3)).map((song) => ({
        ...song,
        name: letter.repeat(200),
        artist: letter.repeat(200),
      }));
      const [row] = await m.as(user, (tx) => tx`select public.submit_mashup(${tx.json(songs)}) ->> 'job_id' as id`);
      const bad = await m.claimNext(worker, row?.id);
      assert.ok(bad);
      const [outcome] =
        await m.sql`select mashup.fail_task(${bad.task_id}, ${bad.claim}, 'audio_silent', ${letter.repeat(500)},
        ${letter.repeat(300)}, 'permanent') as said`;
      assert.equal(outcome?.said, 'failed');
      await m.run(worker);
      assert.equal((await m.job(row?.id)).stage, 'complete', letter);
    }
  });

  it('because options and paths that do not fit are refused with an error', async (t) => {
    const m = await useMachine(t);
    const user = await m.user();
    const songs = await m.songs(user, 2);
    const submit = (list: object[], options: unknown) =>
      m.as(user, (tx) => tx`select public.submit_mashup(${tx.json(list as never)}, ${tx.json(options as never)})`);
    await assert.rejects(submit(songs, { note: 'x'.repeat(900) }), { code: 'MB006' });
    await assert.rejects(submit(songs, [1]), { code: 'MB006' });
    await assert.rejects(submit([{ ...songs[0], storage_path: `uploads/${'x'.repeat(300)}` }, songs[1] ?? {}], {}), {
      code: 'MB006',
    });
    const draft = await m.submit(user, 2, { hold: 'planning' });
    await assert.rejects(
      m.as(user, (tx) => tx`select public.start_mashup(${draft}, '[1]')`),
      { code: 'MB006' },
    );
  });

  it('and one task that cannot be recovered does not keep the sweep from recovering others', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const [stuck, free] = [await m.submit(await m.user(), 2), await m.submit(await m.user(), 2)];
    const held = await m.claimNext(worker, stuck);
    assert.ok(held);
    await m.sql`update mashup.settings set value = '{"analysis": 9}' where name = 'service_limits'`;
    const other = await m.claimNext(worker, free);
    assert.ok(other);
    await m.sql`alter table mashup.tasks add constraint poison check (id <> ${m.sql.unsafe(String(held.task_id))} or state <> 'waiting') not valid`;
    await m.sql`update mashup.tasks set lease_until = mashup.now() - interval '1 second' where state = 'running'`;
    assert.ok(await m.sweep());
    const [row] = await m.sql`select state from mashup.tasks where id = ${other.task_id}`;
    assert.notEqual(row?.state, 'running');
  });
});

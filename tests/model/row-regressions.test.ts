/** Faults of the sweep, of files and of rows that the model test found, one test each. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import postgres from 'postgres';
import { type ClaimedTask, resultOf, useMachine } from '../state-machine/state-machine-fixture.ts';

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

describe('the sweep', () => {
  it('writes no place in the queue on a job that left the queue after its head was read', async (t) => {
    const m = await useMachine(t);
    await m.sql`update mashup.settings set value = '1' where name = 'max_running_jobs'`;
    const user = await m.user();
    await m.submit(user, 2);
    const [cancelled, waiting] = [await m.submit(user, 2), await m.submit(user, 2)];
    await m.sql`update mashup_jobs set stage = 'cancelled' where id = ${cancelled}`;
    // What the sweep reads before the cancellation is committed.
    await m.sql.unsafe(`create or replace function mashup.head_of_queue() returns uuid[]
      language sql stable as $$ select array['${cancelled}', '${waiting}']::uuid[] $$`);
    await m.sweep();
    const of = async (id: string) =>
      (await m.sql`select stage, waiting_on, queue_position from mashup_jobs where id = ${id}`)[0];
    assert.deepEqual(await of(cancelled), { stage: 'cancelled', waiting_on: null, queue_position: null });
    assert.deepEqual(await of(waiting), { stage: 'queued', waiting_on: 'slot', queue_position: 2 });
  });
});

describe('a place whose task is dropped', () => {
  for (const [hold, isHeld] of [
    [0, false],
    [5, true],
  ] as const)
    it(`is ${isHeld ? 'held' : 'free'} with service_abort_hold_sec ${hold}`, async (t) => {
      const m = await useMachine(t);
      await m.sql`update mashup.settings set value = ${m.sql.json({ analysis: hold })} where name = 'service_abort_hold_sec'`;
      const id = await m.submit(await m.user(), 2);
      const task = await m.claimNext(await m.worker(), id);
      assert.ok(task);
      await m.sql`update mashup_jobs set stage = 'cancelled' where id = ${id}`;
      const [row] = await m.sql`select t.held_until is not null as task, p.held_until is not null as place
        from mashup.tasks t join mashup.places p on p.service = 'analysis' and p.n = t.place where t.id = ${task.task_id}`;
      assert.deepEqual({ ...row }, { task: isHeld, place: isHeld });
    });
});

describe('a worker that deregisters', () => {
  it('locks the jobs of its tasks before its own row, as a claim does', async (t) => {
    const m = await useMachine(t);
    const worker = await m.worker();
    const id = await m.submit(await m.user(), 2);
    assert.ok(await m.claimNext(worker, id));
    const claiming = postgres(m.url, { max: 1, onnotice: () => {} });
    try {
      await claiming`begin`;
      await claiming`select from mashup_jobs where id = ${id} for no key update`;
      const deregistering = m.sql`select mashup.deregister_worker(${worker})`.execute();
      for (let isWaiting = false; !isWaiting;)
        isWaiting =
          (await claiming`select from pg_locks where not granted and locktype in ('transactionid', 'tuple')`).length >
          0;
      const rows = await claiming`select from mashup.workers where id = ${worker} for update nowait`;
      assert.equal(rows.length, 1);
      await claiming`commit`;
      await deregistering;
    } finally {
      await claiming.end();
    }
    assert.equal((await m.sql`select from mashup.workers`).length, 0);
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
    for (const bad of [
      { format: 'ogg' },
      { length: 'long' },
      { length_sec: 19 },
      { length_sec: '90' },
      { wishes: 5 },
      { wishes: 'x'.repeat(501) },
      { roles: { sings: '' } },
      { roles: { plays: 1 } },
    ])
      await assert.rejects(submit(songs, bad), { code: 'MB006', detail: 'invalid_options' }, JSON.stringify(bad));
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

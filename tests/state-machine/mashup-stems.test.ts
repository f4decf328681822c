/** The stems of a finished mashup: asked for by its user, made by a task of the complete job, and deleted with what they belong to. */
import assert from 'node:assert/strict';
import { after, beforeEach, describe, it } from 'node:test';
import { until } from '../support/until.ts';
import { type ClaimedTask, resultOf, useMachine } from './state-machine-fixture.ts';

const m = await useMachine({ after });
const { sql } = m;
const worker = await m.worker();
const user = await m.user();

// The places of aborted calls are free at once, and the minute of the rate limit is over.
beforeEach(async () => {
  await sql`update mashup.places set held_until = null`;
  await sql`delete from mashup.call_counts`;
});

interface Row {
  stage: string;
  status: string;
  version: number;
  current_step: string;
  result_path: string;
  summary: { state: string; progress?: number; bytes?: number; message?: string; hint?: string } | null;
  stems: { state: string; files?: { path: string }[] } | null;
}

async function row(id: string): Promise<Row> {
  const [found] = await sql<Row[]>`
    select j.stage, j.status, j.version, j.current_step, j.result_path, j.result -> 'stems' as summary, r.stems
    from public.mashup_jobs j left join public.mashup_results r on r.job_id = j.id and r.epoch = j.epoch where j.id = ${id}`;
  assert.ok(found);
  return found;
}

async function complete(): Promise<string> {
  const id = await m.submit(user);
  await m.run(worker);
  assert.equal((await m.job(id)).stage, 'complete');
  return id;
}

async function request(id: string, by = user): Promise<{ state: string }> {
  const [answer] = await m.as(
    by,
    (tx) => tx<{ stems: { state: string } }[]>`select public.request_mashup_stems(${id}) as stems`,
  );
  assert.ok(answer);
  return answer.stems;
}

async function claimStems(id: string): Promise<ClaimedTask> {
  const task = await m.claimNext(worker, id);
  assert.equal(task?.kind, 'render_stems');
  return task;
}

/** The result of the task, for the current result of its job. */
const stemsOf = async (task: ClaimedTask): Promise<object> => ({
  ...resultOf(task),
  result_path: (await row(task.job_id)).result_path,
});

const finish = async (task: ClaimedTask): Promise<string> => m.finish(task, await stemsOf(task));

const outbox = async (path: string): Promise<number> =>
  (await sql`select from mashup.storage_deletions where ${path} = path or (is_prefix and starts_with(${path}, path))`)
    .length;

describe('the stems of a complete mashup', () => {
  it('are made by one task, however often they are asked for, and the row of the job follows them', async () => {
    const id = await complete();
    assert.equal((await row(id)).summary, null);
    const [first, second] = await Promise.all([request(id), request(id)]);
    assert.deepEqual([first.state, second.state], ['pending', 'pending']);
    const tasks = await sql`select state from mashup.tasks where job_id = ${id} and kind = 'render_stems'`;
    assert.deepEqual(
      tasks.map((task) => task['state']),
      ['ready'],
    );
    const task = await claimStems(id);
    await sql`select mashup.heartbeat_task(${task.task_id}, ${task.claim}, 0.42, 'Rendering')`;
    const half = await row(id);
    assert.deepEqual(half.summary, { state: 'pending', progress: 42 });
    assert.equal(half.stage, 'complete');
    assert.equal(half.current_step, 'Done', 'the text of the job is about the mashup');
    assert.equal(await finish(task), 'finished');
    const done = await row(id);
    assert.deepEqual(done.summary, { state: 'ready', bytes: 2_000_000 });
    assert.equal(done.stems?.state, 'ready');
    assert.equal(done.stems.files?.length, 2);
    assert.ok(done.version > half.version, 'each change is a version, which Realtime sends');
    assert.equal((await request(id)).state, 'ready');
    assert.equal(await m.claimNext(worker, id), undefined, 'they are not made again');
  });

  it('are refused of the mashup of another user, of one without a file, and of one that was taken down', async () => {
    const id = await complete();
    await assert.rejects(request(id, await m.user()), { code: 'MB002' });
    const live = await m.submit(user);
    await assert.rejects(request(live), { code: 'MB003', hint: 'Wait until it is complete.' });
    await sql`select mashup.take_down(${id}, 'Rights')`;
    await assert.rejects(request(id), { code: 'MB015' });
    await sql`select mashup.cancel(${live})`;
    await assert.rejects(request(live), { code: 'MB003', hint: 'It was not finished: retry it.' });
  });

  it('that fail leave the job complete, say why, and can be asked for again', async () => {
    const id = await complete();
    await request(id);
    assert.equal(await m.fail(await claimStems(id), 'permanent', 'stems_gone'), 'failed');
    const failed = await row(id);
    assert.deepEqual([failed.stage, failed.status], ['complete', 'complete']);
    assert.deepEqual(failed.summary, { state: 'failed', message: 'It went wrong.', hint: 'Try again.' });
    assert.equal((await request(id)).state, 'pending');
    assert.equal(await finish(await claimStems(id)), 'finished');
    assert.equal((await row(id)).summary?.state, 'ready');
  });

  it('of a lost worker are made by another, and what the first one wrote is deleted', async () => {
    const id = await complete();
    await request(id);
    const lost = await claimStems(id);
    await sql`update mashup.tasks set lease_until = mashup.now() - interval '1 second' where id = ${lost.task_id}`;
    await m.sweep();
    const again = await claimStems(id);
    assert.notEqual(again.claim, lost.claim);
    assert.equal(await finish(lost), 'lost');
    assert.equal((await row(id)).summary?.state, 'pending');
    assert.equal(await outbox(`${lost.output_prefix}.stems/1-drums/0.flac`), 1);
    assert.equal(await finish(again), 'finished');
    assert.ok((await row(id)).stems?.files?.every(({ path }) => path.startsWith(`${again.output_prefix}.stems/`)));
  });

  it('written outside the path of the claim are refused', async () => {
    const id = await complete();
    await request(id);
    const task = await claimStems(id);
    const text = JSON.stringify(await stemsOf(task)).replaceAll(`${task.output_prefix}.stems`, 'stems/other');
    await assert.rejects(m.finish(task, JSON.parse(text) as object), { code: 'MB006' });
    assert.equal(await finish(task), 'finished');
  });
});

describe('while the stems of a mashup are made', () => {
  it('a replay ends the task, and the new result has none', async () => {
    const id = await complete();
    await request(id);
    const task = await claimStems(id);
    await sql`update public.mashup_jobs set stage = 'rendering' where id = ${id}`;
    assert.equal(await m.finish(task), 'replayed');
    // The place of the aborted call is free again.
    await sql`update mashup.places set held_until = null`;
    await m.sweep();
    await m.run(worker);
    const again = await row(id);
    assert.deepEqual([again.stage, again.summary, again.stems], ['complete', null, null]);
    const old = await sql`select from public.mashup_results where job_id = ${id} and stems is not null`;
    assert.equal(old.length, 0);
  });

  it('a deletion of the job deletes all files, also those that a late worker writes', async () => {
    const id = await complete();
    await request(id);
    const task = await claimStems(id);
    await m.as(user, (tx) => tx`select public.delete_mashup(${id})`);
    assert.equal(await m.finish(task), 'lost');
    const prefixes = await sql`select path, not_before > mashup.now() as later from mashup.storage_deletions
      where is_prefix and starts_with(${`${task.output_prefix}.stems/x`}, path) order by later`;
    assert.deepEqual(
      prefixes.map((one) => one['later']),
      [false, true],
    );
  });

  it('a take-down of the mashup discards them', async () => {
    const id = await complete();
    const path = (await row(id)).result_path;
    await request(id);
    const task = await claimStems(id);
    await sql`select mashup.take_down(${id}, 'Rights')`;
    assert.equal((await row(id)).summary, null);
    assert.equal(await m.finish(task, { ...resultOf(task), result_path: path }), 'finished');
    const after = await row(id);
    assert.deepEqual([after.summary, after.stems], [null, null]);
    assert.ok((await outbox(`${task.output_prefix}.stems/x`)) >= 1);
  });
});

describe('stems of a mashup in Storage', () => {
  it('are read by their owner alone, listed in the export, and not taken for files without rows', async () => {
    const id = await complete();
    await request(id);
    await finish(await claimStems(id));
    const [file] = (await row(id)).stems?.files ?? [];
    assert.ok(file);
    const paths = [`${file.path}/0.flac`, `${file.path}/1.flac`];
    for (const path of paths)
      await sql`insert into storage.objects (bucket_id, name, metadata, created_at, updated_at)
        values ('mashups', ${path}, '{"size": 7}', now() - interval '1 day', now() - interval '1 day')`;
    const seenBy = async (who: string): Promise<string[]> => {
      const rows = await m.as(
        who,
        (tx) => tx<{ name: string }[]>`select name from storage.objects where name like 'generated/%' order by name`,
      );
      return rows.map(({ name }) => name);
    };
    assert.deepEqual(await seenBy(user), paths);
    assert.deepEqual(await seenBy(await m.user()), []);
    const exported = await m.as(
      user,
      (tx) =>
        tx<
          { path: string }[]
        >`select f ->> 'path' as path from jsonb_array_elements(public.export_account() -> 'files') f`,
    );
    assert.ok(paths.every((path) => exported.some((one) => one.path === path)));
    const orphans = await sql<{ path: string }[]>`select mashup.unreferenced_files() as path`;
    assert.ok(!orphans.some(({ path }) => paths.includes(path)));
    const missing = await sql<{ path: string }[]>`select mashup.missing_files() as path`;
    const others = missing.filter(({ path }) => path.includes(id) && path.includes('.stems/')).map(({ path }) => path);
    assert.equal(others.length, 2, 'the files of the other song');
    await sql`select mashup.repair_files(${others}, true)`;
    assert.equal((await row(id)).summary, null, 'they can be asked for again');
  });

  it('are forgotten by a repair that waits for their job, whose other changes stay', async () => {
    const id = await complete();
    await request(id);
    await finish(await claimStems(id));
    const paths = (
      await sql<{ path: string }[]>`
      select f as path from public.mashup_results r, mashup.mashup_stem_files(r.stems) f where r.job_id = ${id}`
    ).map(({ path }) => path);
    let repair: Promise<unknown> = Promise.resolve();
    await sql.begin(async (tx) => {
      await tx`select from public.mashup_jobs where id = ${id} for no key update`;
      repair = sql`select mashup.repair_files(${paths}, true)`.then((rows) => rows.length);
      await until('the repair waits for the job', async () => {
        const blocked = await sql`
          select from pg_stat_activity where wait_event_type = 'Lock' and query like '%repair_files%'`;
        return blocked.length > 0;
      });
      await tx`update public.mashup_results set stems = stems where job_id = ${id}`;
      await tx`update public.mashup_jobs set result = result || '{"bpm": 99}' where id = ${id}`;
    });
    await repair;
    const [after] = await sql`select result ->> 'bpm' as bpm from public.mashup_jobs where id = ${id}`;
    assert.equal(after?.['bpm'], '99');
    assert.equal((await row(id)).summary, null);
  });

  it('are deleted after their time, and with the mashup when it expires', async (t) => {
    const own = await useMachine(t);
    const { sql: db } = own;
    const owner = await own.user();
    const own_worker = await own.worker();
    const ids = [await own.submit(owner), await own.submit(owner)];
    await own.run(own_worker);
    const make = async (id: string): Promise<string> => {
      await own.as(owner, (tx) => tx`select public.request_mashup_stems(${id})`);
      const task = await own.claimNext(own_worker, id);
      assert.ok(task);
      const { result_path } = await own.job(id);
      assert.equal(await own.finish(task, { ...resultOf(task), result_path }), 'finished');
      const [found] = await db<{ path: string }[]>`
        select f as path from public.mashup_results r, mashup.mashup_stem_files(r.stems) f where r.job_id = ${id} limit 1`;
      return found?.path ?? '';
    };
    const isDeleted = async (path: string): Promise<boolean> =>
      (await db`select from mashup.storage_deletions where path = ${path}`).length === 1;
    const [early, late] = ids as [string, string];
    const path = await make(early);
    await own.moveClock(6 * 86_400);
    await own.sweep();
    assert.ok(!(await isDeleted(path)));
    await own.moveClock(8 * 86_400);
    await own.sweep();
    assert.ok(await isDeleted(path));
    assert.equal((await own.job(early)).stage, 'complete');
    const again = await make(early);
    assert.notEqual(again, path);
    await db`update mashup.settings set value = '1000' where name = 'mashup_stems_kept_days'`;
    const other = await make(late);
    await own.moveClock(31 * 86_400);
    await own.sweep();
    assert.ok((await isDeleted(again)) && (await isDeleted(other)), 'they expire with their mashups');
  });
});

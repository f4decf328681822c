/** The account of a user: its export, and its deletion with all rows and files. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { deleteAccount, exportAccount } from '@mashup-engine/client';
import { openDatabase } from '../../worker/database/database.ts';
import { startSocketWatchdog } from '../../worker/database/socket-watchdog.ts';
import { emptyOutbox } from '../../worker/outbox.ts';
import { openStorage } from '../../worker/services/storage.ts';
import { startFunctionsFixture } from './functions-fixture.ts';
import type { Visitor } from './functions-fixture.ts';

const fixture = await startFunctionsFixture({ after });
const { machine } = fixture;
const { sql } = machine;
const worker = await machine.worker();
const db = openDatabase(machine.workerUrl, 1, startSocketWatchdog(10_000));
after(() => db.destroy());

/** A user with an uploaded file, a complete mashup with a result file, and a draft. */
async function userWithMashups(): Promise<Visitor & { job: string; upload: string; result: string }> {
  const visitor = await fixture.visitor();
  const job = await machine.submit(visitor.id);
  await machine.run(worker);
  const upload = `uploads/${visitor.id}/kept/song.wav`;
  const { error } = await visitor.client.storage.from('mashups').upload(upload, new Blob(['song']));
  assert.equal(error, null);
  const { result_path: result } = await machine.job(job);
  assert.ok(result);
  // The state machine's tests write no files: this one has the place of the result.
  const service = fixture.client(fixture.keys.serviceRoleKey).storage.from('mashups');
  assert.equal((await service.upload(result, new Blob(['mashup']))).error, null);
  await machine.submit(visitor.id, 2, { hold: 'planning' });
  await machine.run(worker);
  return { ...visitor, job, upload, result };
}

const owner = await userWithMashups();
const other = await userWithMashups();
const filesOf = async (user: Visitor): Promise<unknown[]> =>
  (await sql`select name from storage.objects where name like ${`%${user.id}%`} order by name`).map(
    ({ name }) => name as string,
  );

describe('export_account', () => {
  test('has all mashups of the user, page by page, with plans, scores and history, and links to the files', async () => {
    const exported = await exportAccount(owner.client);
    assert.equal(exported.account.id, owner.id);
    assert.deepEqual(
      exported.mashups.map(({ job }) => (job as { user_id: string }).user_id),
      [owner.id, owner.id],
    );
    const complete = exported.mashups.find(({ job }) => (job as { id: string }).id === owner.job);
    assert.ok(complete);
    for (const part of ['plans', 'results', 'scores', 'events'])
      assert.ok((complete[part] as object[]).length > 0, part);
    assert.ok(exported.analyses.length > 0);
    const links = new Map(exported.files.map(({ path, url }) => [path, url]));
    assert.equal(await (await fetch(links.get(owner.upload) ?? '')).text(), 'song');
    assert.equal(await (await fetch(links.get(owner.result) ?? '')).text(), 'mashup');

    const { data } = await owner.client.rpc('export_account', { page_size: 1 });
    const first = data as { mashups: object[]; next: string };
    const { data: more } = await owner.client.rpc('export_account', { page_size: 1, after: first.next });
    assert.deepEqual(
      [first.mashups.length, (more as typeof first).mashups.length, (more as typeof first).next],
      [1, 1, null],
    );
  });

  test('has nothing of another user, and nothing that only operators read', async () => {
    const text = JSON.stringify(await exportAccount(owner.client));
    assert.ok(!text.includes(other.id) && !text.includes(other.job));
    assert.ok(!text.includes('request_hash') && !text.includes('"actor"'));
    assert.equal((await fixture.client().rpc('export_account', {})).status, 401);
  });
});

describe('delete-account', () => {
  test('requires the confirmation', async () => {
    const { status, body } = await fixture.call('delete-account', { confirm: true }, { as: owner.token });
    assert.deepEqual([status, body.code], [400, 'confirmation_missing']);
    assert.equal((await sql`select from auth.users where id = ${owner.id}`).length, 1);
  });

  test('deletes the user, the rows and the files, while a task runs, and nothing of another user', async () => {
    const live = await machine.submit(owner.id);
    const task = await machine.claimNext(worker, live);
    assert.ok(task);
    const before = await filesOf(other);
    await deleteAccount(owner.client);

    assert.equal((await owner.client.auth.getSession()).data.session, null);
    assert.equal(await machine.finish(task), 'lost');
    const tables = await sql<{ name: string }[]>`
      select format('%I.%I', table_schema, table_name) as name from information_schema.columns
      where table_schema in ('mashup', 'public', 'auth') and column_name = 'user_id'`;
    assert.ok(tables.length >= 5);
    for (const { name } of tables)
      assert.equal((await sql.unsafe(`select from ${name} where user_id::text = '${owner.id}'`)).length, 0, name);
    assert.equal((await sql`select from auth.users where id = ${owner.id}`).length, 0);

    const storage = openStorage(fixture.url, fixture.keys.serviceRoleKey);
    // The task that ran may still write: its output is deleted a moment later.
    while ((await emptyOutbox(db, storage, () => {})) > 0);
    assert.deepEqual(await filesOf(owner), []);
    assert.equal((await sql`select from storage.objects where name = ${owner.result}`).length, 0);
    assert.deepEqual(await filesOf(other), before);
    assert.equal((await machine.job(other.job)).stage, 'complete');
  });

  test('files that arrive by a link signed before are deleted when the link has expired', async () => {
    const [later] = await sql`
      select not_before > mashup.now() + interval '2 hours' as is_later from mashup.storage_deletions
      where path = ${`uploads/${owner.id}/`}`;
    assert.deepEqual({ ...later }, { is_later: true });
  });

  test('succeeds again with the token of the deleted user, which starts no mashup any more', async () => {
    const again = await fixture.call('delete-account', { confirm: 'delete my account' }, { as: owner.token });
    assert.deepEqual([again.status, again.body], [200, { success: true }]);
    const submitted = await fixture.call(
      'generate-mashup',
      {
        songs: [1, 2].map((n) => ({ song_id: `s${n}`, name: 'x', storage_path: `uploads/${owner.id}/${n}/song.mp3` })),
      },
      { as: owner.token },
    );
    assert.ok(submitted.status >= 400, JSON.stringify(submitted.body));
  });
});

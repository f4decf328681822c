/** Stems of one's own in a submission: their upload, what is refused, and what is kept of them. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { deleteAccount, exportAccount, submitMashup, uploadSong, uploadStem } from '@mashup-engine/client';
import type { OwnStem, SubmittedSong } from '@mashup-engine/client';
import { startFunctionsFixture } from './functions-fixture.ts';
import type { Visitor } from './functions-fixture.ts';

const fixture = await startFunctionsFixture({ after });
const { sql } = fixture.machine;
const visitor = await fixture.visitor();
const other = await fixture.visitor();

const file = (content: string = randomUUID()) => ({
  fileName: 'My file.wav',
  body: new Blob([content], { type: 'audio/wav' }),
});
const song = (who: Visitor = visitor): Promise<SubmittedSong & { storagePath: string }> =>
  uploadSong(who.client, { ...file(), name: 'Halo' });
const stem = (name: OwnStem, who: Visitor = visitor, content?: string): Promise<string> =>
  uploadStem(who.client, { ...file(content), songId: 'song-1', stem: name });
const foreign = await stem('vocals', other);

/** Submits a song with these stems beside another song, as a program would that does not use the client. */
const submit = async (stems: unknown, more: object = {}, who = visitor) => {
  const { songId, name, storagePath } = await song(who);
  const second = await song(who);
  const songs = [
    { song_id: songId, name, storage_path: storagePath, stems, ...more },
    { song_id: second.songId, name: 'Second', storage_path: second.storagePath },
  ];
  return fixture.call('generate-mashup', { songs }, { as: who.token });
};

/** Calls the database function itself, past the checks of the edge function. Returns code, detail and message of its error. */
const submitByRpc = async (stems: unknown, more: object = {}) => {
  const { songId, storagePath } = await song();
  const songs = [{ song_id: songId, name: 'Halo', storage_path: storagePath, stems, ...more }];
  const { error } = await visitor.client.rpc('submit_mashup', { songs, hold: 'planning' });
  return [error?.code, error?.details, error?.message];
};

describe('stems of one’s own', () => {
  test('are uploaded to a folder of the song', async () => {
    assert.equal(await stem('drums'), `uploads/${visitor.id}/song-1/drums/My_file.wav`);
  });

  test('are kept with the song, whose card names them', async () => {
    const stems = { vocals: await stem('vocals'), bass: await stem('bass') };
    const { jobId } = await submitMashup(visitor.client, [{ ...(await song()), stems }, await song()]);
    const { songs } = await fixture.machine.job(jobId);
    const [kept] =
      await sql`select user_id, files, has_song from mashup.own_stems where id = ${songs[0]!.own_stems_id!}`;
    assert.deepEqual(kept, { user_id: visitor.id, files: stems, has_song: true });
    assert.equal(songs[1]!.own_stems_id, undefined);
  });

  test('make a song without a file of its own', async () => {
    const stems = { vocals: await stem('vocals'), instrumental: await stem('instrumental') };
    const { jobId } = await submitMashup(visitor.client, [
      { songId: 'by-stems', name: 'By stems', stems },
      await song(),
    ]);
    const { songs } = await fixture.machine.job(jobId);
    assert.equal(songs[0]!.path, stems.instrumental);
    const [kept] = await sql`select has_song from mashup.own_stems where id = ${songs[0]!.own_stems_id!}`;
    assert.equal(kept?.['has_song'], false);
  });

  test('leave room for three songs with long names in the row of a job', async () => {
    const long = async (): Promise<SubmittedSong> => ({
      ...(await song()),
      name: 'x'.repeat(300),
      artist: 'y'.repeat(300),
      stems: {
        vocals: await stem('vocals'),
        drums: await stem('drums'),
        bass: await stem('bass'),
        other: await stem('other'),
      },
    });
    const { jobId } = await submitMashup(visitor.client, [await long(), await long(), await long()]);
    assert.ok(jobId);
  });

  const refusals: [
    what: string,
    stems: () => Promise<unknown> | unknown,
    more: object,
    status: number,
    code: string,
  ][] = [
    ['the stem of another user, like a missing one', () => ({ vocals: foreign }), {}, 404, 'upload_missing'],
    [
      'a path that leaves the folder',
      () => ({ vocals: `uploads/${visitor.id}/../${other.id}/song-1/vocals/My_file.wav` }),
      {},
      404,
      'upload_missing',
    ],
    ['a file of the engine', () => ({ vocals: `stems/${visitor.id}/1/vocals.wav` }), {}, 404, 'upload_missing'],
    ['an unknown stem', () => ({ guitar: 'uploads/a/b.wav' }), {}, 400, 'invalid_song'],
    ['a path that is no text', () => ({ vocals: 7 }), {}, 400, 'invalid_song'],
    ['neither a song nor stems', () => ({}), { storage_path: undefined }, 400, 'invalid_song'],
    [
      'one file for two stems',
      async () => ({ vocals: await stem('vocals', visitor, 'one'), bass: await stem('bass', visitor, 'one') }),
      {},
      400,
      'invalid_stems',
    ],
  ];
  for (const [what, stems, more, status, code] of refusals) {
    test(`${what}: refused with ${status} ${code}`, async () => {
      const answer = await submit(await stems(), more);
      assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(answer.body));
    });
  }

  test('are checked by the database as well', async () => {
    const path = await stem('vocals');
    for (const stems of [
      { guitar: path },
      { vocals: 7 },
      {},
      [path],
      'vocals',
      { vocals: `uploads/${'x'.repeat(250)}` },
    ])
      assert.deepEqual((await submitByRpc(stems)).slice(0, 2), ['MB006', 'invalid_stems'], JSON.stringify(stems));
    const all = { instrumental: path, drums: path, bass: path, other: path };
    assert.deepEqual((await submitByRpc(all)).slice(0, 2), ['MB006', 'invalid_stems']);
    assert.deepEqual((await submitByRpc({ vocals: foreign })).slice(0, 2), ['MB008', 'upload_missing']);
    assert.deepEqual((await submitByRpc(null, { storage_path: null })).slice(0, 2), ['MB006', 'invalid_song']);
    const count = await sql`select from mashup.own_stems o where not exists (
      select from mashup_jobs j, jsonb_array_elements(j.songs) s where (s ->> 'own_stems_id')::bigint = o.id)`;
    assert.equal(count.length, 0, 'a refused submission keeps nothing');
  });

  test('are exported with the account, and deleted with it', async () => {
    const user = await fixture.visitor();
    const stems = { vocals: await stem('vocals', user) };
    const first = await song(user);
    await submitMashup(user.client, [{ ...first, stems }, await song(user)]);
    const exported = await exportAccount(user.client);
    assert.deepEqual(exported.mashups[0]?.['own_stems'], { [first.songId]: stems });
    assert.ok(exported.files.some(({ path }) => path === stems.vocals));
    await deleteAccount(user.client);
    assert.equal((await sql`select from mashup.own_stems where user_id = ${user.id}`).length, 0);
  });

  test('stay as long as a job has them', async () => {
    const stems = { vocals: await stem('vocals') };
    const { jobId } = await submitMashup(visitor.client, [{ ...(await song()), stems }, await song()]);
    const { songs } = await fixture.machine.job(jobId);
    const id = songs[0]!.own_stems_id!;
    const purge = async (): Promise<number> => {
      await sql`update mashup.own_stems set created_at = created_at - interval '2 days' where id = ${id}`;
      await sql`select mashup.purge_own_stems(100)`;
      return (await sql`select from mashup.own_stems where id = ${id}`).length;
    };
    assert.equal(await purge(), 1);
    await sql`delete from mashup_jobs where id = ${jobId}`;
    assert.equal(await purge(), 0);
  });
});

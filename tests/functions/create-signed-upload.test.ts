import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { ErrorBody, SignedUploadAnswer } from '../../schema.ts';
import { startFunctionsFixture } from './functions-fixture.ts';

const fixture = await startFunctionsFixture({ after });
const visitor = await fixture.visitor();
const request = (body: unknown) => fixture.call('create-signed-upload', body, { as: visitor.token });
const good = { songId: 'song-1', fileName: 'My Song (final).MP3', fileSize: 1000, contentType: 'audio/mpeg' };

describe('create-signed-upload', () => {
  test("returns a path in the caller's own folder, to which the file can be uploaded twice", async () => {
    const { status, body } = await request(good);
    assert.equal(status, 200, JSON.stringify(body));
    const signed = SignedUploadAnswer.parse(body);
    assert.equal(signed.path, `uploads/${visitor.id}/song-1/My_Song_final.mp3`);
    const bucket = visitor.client.storage.from('mashups');
    for (const content of ['first', 'second']) {
      const { error } = await bucket.uploadToSignedUrl(signed.path, signed.token, new Blob([content]));
      assert.equal(error, null);
    }
    const { data } = await bucket.download(signed.path);
    assert.equal(await data?.text(), 'second');
  });

  const names: [given: string, made: string][] = [
    ['歌.flac', 'song.flac'],
    ['../../etc/passwd.wav', 'etcpasswd.wav'],
    ['a  b\t c.ogg', 'a_b_c.ogg'],
    ['..mp3', 'song.mp3'],
    [`${'x'.repeat(300)}.m4a`, `${'x'.repeat(100)}.m4a`],
  ];
  for (const [given, made] of names) {
    test(`stores ${JSON.stringify(given.slice(0, 20))} as ${made.slice(0, 20)}`, async () => {
      const { status, body } = await request({ ...good, fileName: given });
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(body.path, `uploads/${visitor.id}/song-1/${made}`);
    });
  }

  const refusals: [name: string, body: object | string, status: number, error: string, code: string][] = [
    ['no id', { fileName: 'a.mp3' }, 400, 'songId and fileName are required', 'invalid_request'],
    ['no name', { songId: 'a' }, 400, 'songId and fileName are required', 'invalid_request'],
    ['an id that is a number', { ...good, songId: 7 }, 400, 'songId and fileName are required', 'invalid_request'],
    ['an id that leaves the folder', { ...good, songId: '../other' }, 400, 'Invalid songId format', 'invalid_song_id'],
    ['an id of 65 letters', { ...good, songId: 'a'.repeat(65) }, 400, 'Invalid songId format', 'invalid_song_id'],
    ['a text file', { ...good, fileName: 'a.txt' }, 400, 'Unsupported file type', 'unsupported_file_type'],
    ['a name without extension', { ...good, fileName: 'mp3' }, 400, 'Unsupported file type', 'unsupported_file_type'],
    ['51 MB', { ...good, fileSize: 51 * 2 ** 20 }, 413, 'File too large (max 50MB)', 'audio_too_large'],
    ['an empty file', { ...good, fileSize: 0 }, 400, 'The file is empty', 'audio_empty'],
    ['a video', { ...good, contentType: 'video/mp4' }, 400, 'Invalid content type', 'invalid_content_type'],
    ['a size that is text', { ...good, fileSize: 'big' }, 400, 'Invalid request body', 'invalid_request'],
    ['a body that is not JSON', 'songId=1', 400, 'Invalid request body', 'invalid_body'],
  ];
  for (const [name, body, status, error, code] of refusals) {
    test(`refuses ${name} with ${status} ${code}`, async () => {
      const refused = await request(body);
      assert.equal(refused.status, status, JSON.stringify(refused.body));
      const parsed = ErrorBody.parse(refused.body);
      assert.equal(parsed.error, error);
      assert.equal(parsed.code, code);
      assert.notEqual(parsed.hint, '');
    });
  }

  test("an upload token does not open another user's folder", async () => {
    const other = await fixture.visitor();
    const { body } = await request({ ...good, songId: randomUUID() });
    const { token } = SignedUploadAnswer.parse(body);
    const theirs = `uploads/${other.id}/song-1/a.mp3`;
    const { error } = await visitor.client.storage.from('mashups').uploadToSignedUrl(theirs, token, new Blob(['x']));
    assert.notEqual(error, null);
  });
});

describe('limits of create-signed-upload', () => {
  const set = (name: string, value: number) =>
    fixture.machine.sql`update mashup.settings set value = ${fixture.machine.sql.json(value)} where name = ${name}`;

  test('refuses too many requests with 429 and the time to wait; other users are not affected', async () => {
    const user = await fixture.visitor();
    await set('max_uploads_per_minute', 3);
    try {
      const responses = await Promise.all(
        Array.from({ length: 8 }, () => fixture.call('create-signed-upload', good, { as: user.token })),
      );
      assert.deepEqual(responses.map(({ status }) => status).sort(), [200, 200, 200, 429, 429, 429, 429, 429]);
      const refused = responses.find(({ status }) => status === 429);
      assert.equal(refused?.body.code, 'rate_limited');
      assert.equal(refused.headers.get('retry-after'), '60');
      const other = await fixture.visitor();
      assert.equal((await fixture.call('create-signed-upload', good, { as: other.token })).status, 200);
    } finally {
      await set('max_uploads_per_minute', 60);
    }
  });

  test('refuses more files than a user may have, also for direct uploads', async () => {
    const user = await fixture.visitor();
    const bucket = user.client.storage.from('mashups');
    const put = async (name: string) => (await bucket.upload(`uploads/${user.id}/${name}`, new Blob(['x']))).error;
    await set('max_uploads_per_user', 2);
    try {
      assert.equal(await put('s/1.wav'), null);
      assert.equal(await put('s/2.wav'), null);
      assert.match((await put('s/3.wav'))?.message ?? '', /row-level security/);
      const { status, body } = await fixture.call('create-signed-upload', good, { as: user.token });
      assert.equal(status, 429);
      assert.equal(body.code, 'queue_full');
      assert.match(String(body.details), /stored as many songs/);
      await bucket.remove([`uploads/${user.id}/s/1.wav`]);
      assert.equal(await put('s/3.wav'), null);
    } finally {
      await set('max_uploads_per_user', 200);
    }
  });
});

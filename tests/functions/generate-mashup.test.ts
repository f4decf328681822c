import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { uploadSong } from '@mashup-engine/client';
import { ErrorBody, GenerateMashupAnswer } from '../../schema.ts';
import type { SubmittedSong } from '../../schema.ts';
import { startFunctionsFixture } from './functions-fixture.ts';
import type { Visitor } from './functions-fixture.ts';

const fixture = await startFunctionsFixture({ after });
const visitor = await fixture.visitor();

async function upload(who: Visitor, content: string): Promise<SubmittedSong & { storage_path: string }> {
  const body = new Blob([content], { type: 'audio/mpeg' });
  const { songId, name, storagePath } = await uploadSong(who.client, { fileName: 'song.mp3', body });
  return { song_id: songId, name, storage_path: storagePath };
}

const song = (more: object = {}): object => ({
  song_id: randomUUID(),
  name: 'Song',
  artist: 'Artist',
  storage_path: 'uploads/a/b.mp3',
  ...more,
});

describe('generate-mashup', () => {
  test('accepts two uploaded songs and returns a queued job at once', async () => {
    const songs = [await upload(visitor, 'one'), await upload(visitor, 'two')];
    const { status, body } = await fixture.call('generate-mashup', { songs }, { as: visitor.token });
    assert.equal(status, 200, JSON.stringify(body));
    const response = GenerateMashupAnswer.parse(body);
    assert.equal(response.success, true);
    assert.equal(response.status, 'processing');
    assert.equal(response.songs_count, 2);
    const job = await fixture.machine.job(response.jobId);
    assert.deepEqual(
      job.songs.map(({ song_id }) => song_id),
      songs.map(({ song_id }) => song_id),
    );
  });

  test('returns the same job for a repeated idempotency key, in header or body, and refuses the key for another request', async () => {
    const songs = [await upload(visitor, 'three'), await upload(visitor, 'four')];
    const key = randomUUID();
    const first = await fixture.call(
      'generate-mashup',
      { songs },
      { as: visitor.token, headers: { 'idempotency-key': key } },
    );
    const again = await fixture.call('generate-mashup', { songs, idempotency_key: key }, { as: visitor.token });
    assert.equal(first.status, 200);
    assert.equal(again.body.jobId, first.body.jobId);
    assert.equal(again.body.existing, true);
    const other = await fixture.call(
      'generate-mashup',
      { songs, options: { format: 'mp3' }, idempotency_key: key },
      { as: visitor.token },
    );
    assert.equal(other.status, 409);
    assert.equal(other.body.code, 'idempotency_conflict');
  });

  test('writes the trace context of the request into the job', async () => {
    const songs = [await upload(visitor, 'traced one'), await upload(visitor, 'traced two')];
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const { body } = await fixture.call('generate-mashup', { songs }, { as: visitor.token, headers: { traceparent } });
    const [job] = await fixture.machine.sql`select traceparent from mashup_jobs where id = ${String(body.jobId)}`;
    assert.equal(job?.['traceparent'], traceparent);
  });

  test('accepts one song as a draft, which is held before planning', async () => {
    const songs = [await upload(visitor, 'five')];
    const { status, body } = await fixture.call('generate-mashup', { songs, hold: 'planning' }, { as: visitor.token });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.songs_count, 1);
  });

  const refusals: [name: string, body: unknown, status: number, error: string, code: string][] = [
    ['a body that is not JSON', '{"songs": [', 400, 'Invalid request body', 'invalid_body'],
    ['no songs', {}, 400, 'Invalid songs data', 'invalid_songs'],
    ['songs that are not a list', { songs: 'a' }, 400, 'Invalid songs data', 'invalid_songs'],
    ['null', 'null', 400, 'Invalid songs data', 'invalid_songs'],
    ['no song', { songs: [] }, 400, 'Insufficient songs', 'too_few_songs'],
    ['one song', { songs: [song()] }, 400, 'Insufficient songs', 'too_few_songs'],
    ['four songs', { songs: [song(), song(), song(), song()] }, 400, 'Too many songs', 'too_many_songs'],
    ['a song without a name', { songs: [song({ name: '' }), song()] }, 400, 'Invalid song data', 'invalid_song'],
    ['a song that is null', { songs: [null, song()] }, 400, 'Invalid song data', 'invalid_song'],
    [
      'a path without a folder',
      { songs: [song({ storage_path: 'b.mp3' }), song()] },
      400,
      'Invalid song data',
      'invalid_song',
    ],
    [
      'an id that leaves its folder',
      { songs: [song({ song_id: '../x' }), song()] },
      400,
      'Invalid song data',
      'invalid_song',
    ],
    [
      'wishes of which nothing is understood',
      { songs: [song(), song()], options: { wishes: 'paint it blue' } },
      422,
      'Nothing of this was understood',
      'wish_not_understood',
    ],
    [
      'an unknown format',
      { songs: [song(), song()], options: { format: 'aiff' } },
      400,
      'Invalid options',
      'invalid_request',
    ],
    ['an unknown hold', { songs: [song(), song()], hold: 'scoring' }, 400, 'Invalid request body', 'invalid_request'],
    [
      'a body of 100 kB',
      { songs: [song({ name: 'x'.repeat(100_000) }), song()] },
      413,
      'Request too large',
      'request_too_large',
    ],
    ['missing files', { songs: [song(), song({ storage_path: 'uploads/a/c.mp3' })] }, 404, '', 'upload_missing'],
  ];
  for (const [name, body, status, error, code] of refusals) {
    test(`refuses ${name} with ${status} ${code}`, async () => {
      const refused = await fixture.call('generate-mashup', body, { as: visitor.token });
      assert.equal(refused.status, status, JSON.stringify(refused.body));
      const parsed = ErrorBody.parse(refused.body);
      assert.equal(parsed.code, code);
      if (error !== '') assert.equal(parsed.error, error);
      assert.notEqual(parsed.hint, '');
      assert.equal(refused.headers.get('access-control-allow-origin'), '*');
    });
  }

  test('refuses a chunked body of 100 kB, which declares no length, with 413', async () => {
    const init: RequestInit & { duplex: 'half' } = {
      method: 'POST',
      headers: { authorization: `Bearer ${visitor.token}`, apikey: fixture.keys.anonKey },
      body: new Blob(['x'.repeat(100_000)]).stream(),
      duplex: 'half',
    };
    const response = await fetch(`${fixture.url}/functions/v1/generate-mashup`, init);
    assert.equal(response.status, 413);
    assert.equal(ErrorBody.parse(await response.json()).code, 'request_too_large');
  });

  test('lists all invalid members of all songs, counted from one', async () => {
    const { body } = await fixture.call(
      'generate-mashup',
      { songs: [song({ name: 7 }), song({ storage_path: null })] },
      { as: visitor.token },
    );
    assert.equal(body.details, 'Song 1: missing or invalid name; Song 2: missing or invalid storage_path');
  });

  test('refuses the same file twice, also with another name and id', async () => {
    const songs = [await upload(visitor, 'same'), await upload(visitor, 'same')];
    const { status, body } = await fixture.call('generate-mashup', { songs }, { as: visitor.token });
    assert.equal(status, 400);
    assert.equal(body.code, 'same_song_twice');
  });

  test("refuses another user's upload like a missing one", async () => {
    const other = await fixture.visitor();
    const songs = [await upload(visitor, 'mine'), await upload(other, 'theirs')];
    const { status, body } = await fixture.call('generate-mashup', { songs }, { as: visitor.token });
    assert.equal(status, 404);
    assert.equal(body.code, 'upload_missing');
  });

  test('refuses a file over 50 MB that was uploaded without the function', async () => {
    const songs = [await upload(visitor, 'small'), await upload(visitor, 'large')];
    await fixture.machine
      .sql`update storage.objects set metadata = metadata || '{"size": 60000000}' where name = ${songs[1]!.storage_path}`;
    const { status, body } = await fixture.call('generate-mashup', { songs }, { as: visitor.token });
    assert.equal(status, 413);
    assert.equal(body.code, 'audio_too_large');
    assert.equal(body.error, 'File too large (max 50MB)');
  });

  test('refuses too many requests of one user with the time to wait', async () => {
    const user = await fixture.visitor();
    const songs = [await upload(user, 'six'), await upload(user, 'seven')];
    await fixture.machine.sql`update mashup.settings set value = '1' where name = 'max_submits_per_minute'`;
    try {
      const first = await fixture.call('generate-mashup', { songs }, { as: user.token });
      assert.equal(first.status, 200, JSON.stringify(first.body));
      const second = await fixture.call('generate-mashup', { songs }, { as: user.token });
      assert.equal(second.status, 429);
      assert.equal(second.body.code, 'rate_limited');
      assert.equal(second.headers.get('retry-after'), '60');
    } finally {
      await fixture.machine.sql`update mashup.settings set value = '30' where name = 'max_submits_per_minute'`;
    }
  });

  test('refuses requests to a full queue with 429 and the time to wait', async () => {
    const songs = [await upload(visitor, 'eight'), await upload(visitor, 'nine')];
    await fixture.machine.sql`update mashup.settings set value = '0' where name = 'max_queued_jobs'`;
    try {
      const { status, body, headers } = await fixture.call('generate-mashup', { songs }, { as: visitor.token });
      assert.equal(status, 429);
      assert.equal(body.code, 'queue_full');
      assert.equal(headers.get('retry-after'), '60');
    } finally {
      await fixture.machine.sql`update mashup.settings set value = '1000' where name = 'max_queued_jobs'`;
    }
  });
});

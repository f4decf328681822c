import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { StorageApiError } from '@supabase/supabase-js';
import { openKeyRing } from '@mashup-engine/supabase-local/gateway/keys';
import { until } from '../support/until.ts';
import { LOCAL_ONLY, useGateway } from './gateway-fixture.ts';
import type { Client } from './gateway-fixture.ts';

const LIMIT = 200_000;
const SETUP = `
  insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types) values
    ('mashups', 'mashups', false, ${LIMIT}, null), ('open', 'open', true, null, null), ('audio', 'audio', false, null, '{audio/*,text/plain}');
  create policy own_insert on storage.objects for insert to authenticated
    with check (bucket_id = 'mashups' and (storage.foldername(name))[1] = (select auth.uid())::text);
  create policy own_select on storage.objects for select to authenticated
    using (bucket_id = 'mashups' and (storage.foldername(name))[1] = (select auth.uid())::text);
  create policy own_update on storage.objects for update to authenticated
    using (bucket_id = 'mashups' and (storage.foldername(name))[1] = (select auth.uid())::text);
  create policy own_delete on storage.objects for delete to authenticated
    using (bucket_id = 'mashups' and (storage.foldername(name))[1] = (select auth.uid())::text and name not like '%/kept%');
`;
const GLOBAL_LIMIT = 2_000_000;
const fixture = await useGateway({ after }, { setup: SETUP, config: { fileSizeLimit: GLOBAL_LIMIT } });
const mashups = (client: Client): ReturnType<Client['storage']['from']> => client.storage.from('mashups');
const service = fixture.client(fixture.keys.serviceRoleKey);

function bytes(length: number): Buffer<ArrayBuffer> {
  return Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 31) % 251));
}

const streamOf = (content: Buffer<ArrayBuffer>): ReadableStream<Uint8Array> => new Blob([content]).stream();

/** Returns HTTP status, status in the body, and message of an error. */
function errorOf(error: unknown): [number | undefined, string | undefined, string] {
  assert.ok(error instanceof StorageApiError);
  return [error.status, error.statusCode, error.message];
}

async function filesOnDisk(): Promise<string[]> {
  const entries = await readdir(fixture.storageDir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe('Storage of the gateway', { skip: LOCAL_ONLY }, () => {
  it('accepts multipart and raw bodies and returns the same bytes', async () => {
    const { client, id } = await fixture.visitor();
    const content = bytes(100_000);
    const blob = await mashups(client).upload(`${id}/a blob (1).wav`, new Blob([content], { type: 'audio/wav' }), {
      cacheControl: '60',
      metadata: { bpm: 120 },
    });
    assert.equal(blob.error, null);
    assert.equal(blob.data?.fullPath, `mashups/${id}/a blob (1).wav`);
    const buffer = await mashups(client).upload(`${id}/buffer.mp3`, content, { contentType: 'audio/mpeg' });
    assert.equal(buffer.error, null);
    const stream = await mashups(client).upload(`${id}/stream.bin`, streamOf(content), {
      contentType: 'application/octet-stream',
      duplex: 'half',
    });
    assert.equal(stream.error, null);
    for (const name of ['a blob (1).wav', 'buffer.mp3', 'stream.bin']) {
      const { data } = await mashups(client).download(`${id}/${name}`);
      assert.deepEqual(Buffer.from(await data!.arrayBuffer()), content, name);
    }
    const [row] =
      await fixture.sql`select owner, owner_id, metadata, user_metadata from storage.objects where id = ${blob.data!.id}`;
    assert.deepEqual([row?.owner, row?.owner_id], [id, id]);
    assert.equal(row?.metadata.mimetype, 'audio/wav');
    assert.equal(row?.metadata.cacheControl, 'max-age=60');
    assert.equal(row?.metadata.size, content.length);
    assert.deepEqual(row?.user_metadata, { bpm: 120 });
  });

  it('returns errors with HTTP 400 and the real status as a string', async () => {
    const mine = await fixture.visitor();
    const other = await fixture.visitor();
    const file = new Blob(['x']);
    assert.equal((await mashups(mine.client).upload(`${mine.id}/f`, file)).error, null);
    assert.deepEqual(errorOf((await mashups(other.client).upload(`${mine.id}/g`, file)).error), [
      400,
      '403',
      'new row violates row-level security policy',
    ]);
    assert.deepEqual(errorOf((await mashups(fixture.client()).upload('anon/g', file)).error), [
      400,
      '403',
      'new row violates row-level security policy',
    ]);
    assert.deepEqual(errorOf((await mashups(mine.client).upload(`${mine.id}/f`, file)).error), [
      400,
      '409',
      'The resource already exists',
    ]);
    assert.deepEqual(errorOf((await mashups(mine.client).upload(`${mine.id}/äöü`, file)).error).slice(0, 2), [
      400,
      '400',
    ]);
    assert.deepEqual(errorOf((await mine.client.storage.from('nowhere').upload('f', file)).error), [
      400,
      '404',
      'Bucket not found',
    ]);
    assert.deepEqual(errorOf((await mashups(other.client).createSignedUrl(`${mine.id}/f`, 60)).error), [
      400,
      '404',
      'Object not found',
    ]);
    const hidden = await fixture.fetch(`/storage/v1/object/mashups/${mine.id}/f`, { token: other.token });
    assert.equal(hidden.status, 400);
    assert.deepEqual(await hidden.json(), {
      statusCode: '404',
      code: 'NoSuchKey',
      error: 'not_found',
      message: 'Object not found',
    });
    const badToken = await fixture.fetch(`/storage/v1/object/mashups/${mine.id}/f`, { token: 'a.b.c' });
    assert.equal(((await badToken.json()) as { code: string }).code, 'NoSuchBucket');
  });

  it('replaces only with upsert or update, and deletes the old bytes', async () => {
    const { client, id } = await fixture.visitor();
    const path = `${id}/again`;
    await mashups(client).upload(path, new Blob(['one']));
    const before = (await filesOnDisk()).length;
    assert.equal((await mashups(client).upload(path, new Blob(['two']), { upsert: true })).error, null);
    assert.equal((await mashups(client).update(path, new Blob(['three']))).error, null);
    assert.equal(await (await mashups(client).download(path)).data?.text(), 'three');
    assert.equal((await filesOnDisk()).length, before);
    const other = await fixture.visitor();
    assert.equal(
      errorOf((await mashups(other.client).upload(path, new Blob(['x']), { upsert: true })).error)[1],
      '403',
    );
  });

  it('enforces size limit and types of the bucket, and leaves no file', async () => {
    const { client, id } = await fixture.visitor();
    const before = await filesOnDisk();
    const big = bytes(LIMIT + 1);
    for (const body of [new Blob([big]), big, streamOf(big)]) {
      const { error } = await mashups(client).upload(`${id}/big`, body, { duplex: 'half' });
      assert.deepEqual(errorOf(error).slice(0, 2), [400, '413']);
    }
    assert.equal((await mashups(client).upload(`${id}/fits`, bytes(LIMIT))).error, null);
    const audio = service.storage.from('audio');
    assert.deepEqual(errorOf((await audio.upload('x.png', new Blob(['x'], { type: 'image/png' }))).error), [
      400,
      '415',
      'mime type image/png is not supported',
    ]);
    assert.equal((await audio.upload('x.flac', new Blob(['x'], { type: 'audio/flac' }))).error, null);
    assert.equal((await audio.upload('x.txt', Buffer.from('x'))).error, null);
    assert.equal((await filesOnDisk()).length, before.length + 3);
  });

  it('has a global limit, which also holds for buckets without a limit and which OPTIONS of resumable uploads tells', async () => {
    const path = `limits/${crypto.randomUUID()}`;
    const open = service.storage.from('open');
    assert.equal((await open.upload(path, bytes(GLOBAL_LIMIT))).error, null);
    for (const body of [bytes(GLOBAL_LIMIT + 1), new Blob([bytes(GLOBAL_LIMIT + 1)])]) {
      const { error } = await open.upload(`${path}-2`, body);
      assert.deepEqual(errorOf(error).slice(1), ['413', 'The object exceeded the maximum allowed size']);
    }
    const options = await fetch(`${fixture.url}/storage/v1/upload/resumable`, { method: 'OPTIONS' });
    assert.equal(options.headers.get('tus-max-size'), String(GLOBAL_LIMIT));
  });

  it('signs uploads: RLS is tested at signing, and the token determines the path and whether to replace', async () => {
    const { client, id } = await fixture.visitor();
    const path = `${id}/signed upload.wav`;
    const signed = await mashups(client).createSignedUploadUrl(path);
    assert.equal(signed.error, null);
    assert.match(signed.data!.signedUrl, /\/object\/upload\/sign\/mashups\/.*\?token=/);
    const stranger = fixture.client();
    const { token } = signed.data!;
    const put = await mashups(stranger).uploadToSignedUrl(path, token, new Blob(['first']), {
      contentType: 'audio/wav',
    });
    assert.equal(put.data?.fullPath, `mashups/${path}`);
    const [row] = await fixture.sql`select owner_id from storage.objects where name = ${path}`;
    assert.equal(row?.owner_id, id);
    assert.equal(
      errorOf((await mashups(stranger).uploadToSignedUrl(path, token, new Blob(['2']), { upsert: true })).error)[1],
      '409',
    );
    assert.deepEqual(
      errorOf((await mashups(stranger).uploadToSignedUrl(`${id}/else`, token, new Blob(['2']))).error).slice(0, 2),
      [400, '400'],
    );
    const again = await mashups(client).createSignedUploadUrl(path, { upsert: true });
    assert.equal(
      (await mashups(stranger).uploadToSignedUrl(path, again.data!.token, new Blob(['second']))).error,
      null,
    );
    assert.equal(await (await mashups(client).download(path)).data?.text(), 'second');
    assert.equal(errorOf((await mashups(stranger).createSignedUploadUrl(`${id}/x`)).error)[1], '403');
    const download = await fixture.fetch(
      `/storage/v1/object/sign/mashups/${encodeURI(path)}?token=${again.data!.token}`,
    );
    assert.equal(((await download.json()) as { code: string }).code, 'InvalidSignature');
  });

  it('signs downloads that need no key, have a file name and expire', async () => {
    const { client, id } = await fixture.visitor();
    const path = `${id}/a song.wav`;
    await mashups(client).upload(path, new Blob(['sound'], { type: 'audio/wav' }));
    const signed = await mashups(client).createSignedUrl(path, 60, { download: 'my mix.wav' });
    const response = await fetch(signed.data!.signedUrl);
    assert.equal(await response.text(), 'sound');
    assert.equal(response.headers.get('content-type'), 'audio/wav');
    assert.match(
      response.headers.get('content-disposition') ?? '',
      /^attachment; filename=my%20mix\.wav; filename\*=UTF-8''my%20mix\.wav/,
    );
    assert.ok(Date.parse(response.headers.get('expires') ?? '') > Date.now());
    const elsewhere = signed.data!.signedUrl.replace('a%20song', 'b%20song');
    assert.equal(((await (await fetch(elsewhere)).json()) as { code: string }).code, 'InvalidSignature');
    const forged = await fetch(`${signed.data!.signedUrl.split('&')[0]}x`);
    assert.deepEqual([forged.status, ((await forged.json()) as { code: string }).code], [400, 'InvalidJWT']);
    const ring = await openKeyRing(fixture.keys);
    const old = await ring.signLink({ scope: 'download', url: `mashups/${path}` }, -5);
    const expired = await fetch(`${fixture.url}/storage/v1/object/sign/mashups/${encodeURI(path)}?token=${old}`);
    assert.match(((await expired.json()) as { message: string }).message, /"exp" claim timestamp check failed/);
    const many = await mashups(client).createSignedUrls([path, `${id}/none`], 60);
    assert.equal(await (await fetch(many.data![0]!.signedUrl ?? '')).text(), 'sound');
    assert.deepEqual(
      [many.data![1]!.signedUrl, many.data![1]!.error],
      [null, 'Either the object does not exist or you do not have access to it'],
    );
  });

  it('serves ranges as media players request them', async () => {
    const { client, id } = await fixture.visitor();
    const content = bytes(1000);
    await mashups(client).upload(`${id}/range`, content, { contentType: 'audio/wav' });
    const url = (await mashups(client).createSignedUrl(`${id}/range`, 60)).data!.signedUrl;
    const whole = await fetch(url);
    assert.deepEqual(
      [whole.status, whole.headers.get('accept-ranges'), whole.headers.get('content-length')],
      [200, 'bytes', '1000'],
    );
    const cases: [string, number, number][] = [
      ['bytes=0-99', 0, 100],
      ['bytes=990-', 990, 1000],
      ['bytes=-10', 990, 1000],
      ['bytes=900-5000', 900, 1000],
    ];
    for (const [range, start, end] of cases) {
      const part = await fetch(url, { headers: { range } });
      assert.equal(part.status, 206, range);
      assert.equal(part.headers.get('content-range'), `bytes ${start}-${end - 1}/1000`);
      assert.deepEqual(Buffer.from(await part.arrayBuffer()), content.subarray(start, end));
    }
    const beyond = await fetch(url, { headers: { range: 'bytes=1000-' } });
    assert.deepEqual([beyond.status, beyond.headers.get('content-range')], [416, 'bytes */1000']);
    const eTag = whole.headers.get('etag')!;
    assert.match(eTag, /^"[0-9a-f]{32}"$/);
    assert.equal((await fetch(url, { headers: { 'if-none-match': eTag } })).status, 304);
    assert.equal((await fetch(url, { headers: { range: 'bytes=0-9', 'if-range': '"other"' } })).status, 200);
    assert.equal(
      (await fetch(url, { headers: { 'if-modified-since': whole.headers.get('last-modified')! } })).status,
      304,
    );
    const direct = await fixture.fetch(`/storage/v1/object/mashups/${id}/range`, {
      token: (await client.auth.getSession()).data.session!.access_token,
      headers: { range: 'bytes=1-1' },
    });
    assert.deepEqual([direct.status, (await direct.arrayBuffer()).byteLength], [206, 1]);
  });

  it('lists folders and removes objects as far as the caller may, without an error for the others', async () => {
    const mine = await fixture.visitor();
    const other = await fixture.visitor();
    for (const name of ['b', 'a', 'sub/x', 'sub/y', 'kept'])
      await mashups(mine.client).upload(`${mine.id}/${name}`, new Blob([name]));
    const { data } = await mashups(mine.client).list(mine.id);
    assert.deepEqual(
      data?.map((entry) => [entry.name, entry.id === null]),
      [
        ['a', false],
        ['b', false],
        ['kept', false],
        ['sub', true],
      ],
    );
    assert.equal(data?.[0]?.metadata?.size, 1);
    assert.equal(data?.[3]?.metadata, null);
    const sorted = await mashups(mine.client).list(`${mine.id}/sub/`, {
      sortBy: { column: 'name', order: 'desc' },
      limit: 1,
    });
    assert.deepEqual(
      sorted.data?.map((entry) => entry.name),
      ['y'],
    );
    assert.deepEqual((await mashups(other.client).list(mine.id)).data, []);
    assert.deepEqual((await mashups(other.client).remove([`${mine.id}/a`])).data, []);
    const files = (await filesOnDisk()).length;
    const removed = await mashups(mine.client).remove([`${mine.id}/a`, `${mine.id}/kept`, `${mine.id}/none`]);
    assert.deepEqual(
      removed.data?.map((row) => row.name),
      [`${mine.id}/a`],
    );
    assert.equal((await filesOnDisk()).length, files - 1);
    assert.equal((await mashups(mine.client).exists(`${mine.id}/kept`)).data, true);
  });

  it('answers to duplicates, empty batches and searches as Storage does', async () => {
    const { client, id, token } = await fixture.visitor();
    for (const name of ['Alpha.wav', 'alphabet.wav', 'gamma-alpha.wav'])
      assert.equal((await mashups(client).upload(`${id}/${name}`, new Blob(['x']))).error, null);
    const codeOf = async (path: string, body: unknown, as: string): Promise<string> => {
      const headers = { 'content-type': 'application/json' };
      const response = await fixture.fetch(`/storage/v1${path}`, {
        method: 'POST',
        token: as,
        headers,
        body: JSON.stringify(body),
      });
      const { code, error, statusCode } = (await response.json()) as Record<string, string>;
      return `${response.status} ${statusCode} ${code} ${error}`;
    };
    assert.equal(await codeOf(`/object/mashups/${id}/Alpha.wav`, {}, token), '400 409 KeyAlreadyExists Duplicate');
    const service = fixture.keys.serviceRoleKey;
    assert.equal(await codeOf('/bucket', { name: 'mashups' }, service), '400 409 BucketAlreadyExists Duplicate');
    assert.match(await codeOf('/object/sign/mashups', { expiresIn: 60, paths: [] }, token), /^400 400 InvalidRequest/);
    const names = async (options: Parameters<ReturnType<typeof mashups>['list']>[1]): Promise<string[]> =>
      ((await mashups(client).list(id, options)).data ?? []).map(({ name }) => name);
    // A search finds names that begin with the text, in any case.
    assert.deepEqual(await names({ search: 'alpha' }), ['Alpha.wav', 'alphabet.wav']);
    assert.deepEqual(await names({ search: 'pha' }), []);
    assert.equal((await names({ limit: 5_000 })).length, 3, 'a large limit is lowered');
  });

  it('serves public buckets without a key, and no private ones', async () => {
    await service.storage.from('open').upload('dir/p.txt', new Blob(['public'], { type: 'text/plain' }));
    const { publicUrl } = fixture.client().storage.from('open').getPublicUrl('dir/p.txt').data;
    assert.equal(await (await fetch(publicUrl)).text(), 'public');
    const hidden = await fetch(publicUrl.replace('/open/', '/mashups/'));
    assert.deepEqual(
      [hidden.status, ((await hidden.json()) as { message: string }).message],
      [400, 'Bucket not found'],
    );
    const made = await service.storage.createBucket('made', { public: false, fileSizeLimit: 10 });
    assert.equal(made.error, null);
    assert.equal((await service.storage.getBucket('made')).data?.file_size_limit, 10);
    assert.equal(errorOf((await service.storage.from('made').upload('x', bytes(11))).error)[1], '413');
    assert.equal(errorOf((await fixture.client().storage.getBucket('made')).error)[1], '404');
  });

  it('rejects path traversal before and after decoding', async () => {
    const paths = [
      '../../etc/passwd',
      '..%2f..%2fetc%2fpasswd',
      '%2e%2e/%2e%2e/etc/passwd',
      'a/../../b',
      'a//b',
      '%2Fetc',
      'a%00b',
    ];
    for (const path of paths) {
      for (const method of ['POST', 'GET']) {
        const response = await rawRequest(method, `/storage/v1/object/open/${path}`);
        assert.match(response, /^HTTP\/1\.1 400 /, `${method} ${path}`);
        assert.match(response, /InvalidKey/, `${method} ${path}`);
      }
    }
    for (const file of await filesOnDisk()) assert.match(file, /\/[0-9a-f]{2}\/[0-9a-f-]{36}$/);
  });

  it('deletes the bytes of an aborted upload', async () => {
    const before = (await filesOnDisk()).length;
    const socket = connect(Number(new URL(fixture.url).port), '127.0.0.1');
    const key = fixture.keys.serviceRoleKey;
    socket.write(
      `POST /storage/v1/object/mashups/broken HTTP/1.1\r\nhost: x\r\napikey: ${key}\r\nauthorization: Bearer ${key}\r\ncontent-length: 100000\r\n\r\n`,
    );
    socket.write(bytes(5000));
    await until('the upload has begun', async () => (await filesOnDisk()).length === before + 1);
    socket.destroy();
    await until('the partial file is deleted', async () => (await filesOnDisk()).length === before);
    const [row] = await fixture.sql`select count(*)::int as n from storage.objects where name = 'broken'`;
    assert.equal(row?.n, 0);
  });
});

/** Sends a request whose path is not normalized by a client library. */
function rawRequest(method: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(fixture.url).port), '127.0.0.1');
    const key = fixture.keys.serviceRoleKey;
    let response = '';
    socket.on('data', (chunk) => (response += chunk.toString()));
    socket.on('end', () => resolve(response));
    socket.on('error', reject);
    socket.write(
      `${method} ${path} HTTP/1.1\r\nhost: x\r\napikey: ${key}\r\nauthorization: Bearer ${key}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
    );
  });
}

/** Access to files and signed links by users without a right to them. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { SECRET, startAccessFixture } from './access-fixture.ts';
import type { Intruder } from './access-fixture.ts';
import { assertDenied, bucket, raw, stored } from './entry-points.ts';
import type { EntryPoint, Outcome } from './entry-points.ts';

const access = await startAccessFixture({ after });
const { functions, owner, job, upload, stem, result } = access;

describe('files', () => {
  const NOT_FOUND = '404 Object not found';
  const FORBIDDEN = '403 new row violates row-level security policy';
  const ownFolder = (intruder: Intruder): string => `uploads/${intruder.id ?? owner.id}`;
  const sound = (): Blob => new Blob(['another sound'], { type: 'audio/wav' });
  const ownedFiles: [string, string][] = [
    ['an upload', upload],
    ['a stem', stem],
    ['a result', result],
  ];
  assertDenied(access, [
    ...ownedFiles.flatMap(([what, path]): EntryPoint[] => [
      {
        name: `${what}: download`,
        attempt: ({ client }) => stored(bucket(client).download(path)),
        user: NOT_FOUND,
        key: NOT_FOUND,
      },
      {
        name: `${what}: sign a link`,
        attempt: ({ client }) => stored(bucket(client).createSignedUrl(path, 60)),
        user: NOT_FOUND,
        key: NOT_FOUND,
      },
      {
        name: `${what}: sign links in bulk`,
        attempt: async ({ client }) => {
          const { data } = await bucket(client).createSignedUrls([path], 60);
          return `${data?.[0]?.signedUrl} ${data?.[0]?.error}`;
        },
        user: 'null Either the object does not exist or you do not have access to it',
        key: 'null Either the object does not exist or you do not have access to it',
      },
      {
        name: `${what}: ask for its figures`,
        attempt: ({ client }) => stored(bucket(client).info(path)),
        user: NOT_FOUND,
        key: NOT_FOUND,
      },
      {
        name: `${what}: remove`,
        attempt: ({ client }) => stored(bucket(client).remove([path])),
        user: '[]',
        key: '[]',
      },
      {
        name: `${what}: write over it`,
        attempt: ({ client }) => stored(bucket(client).upload(path, sound(), { upsert: true })),
        user: FORBIDDEN,
        key: FORBIDDEN,
      },
      {
        name: `${what}: update`,
        attempt: ({ client }) => stored(bucket(client).update(path, sound())),
        user: NOT_FOUND,
        key: NOT_FOUND,
      },
      {
        name: `${what}: sign an upload over it`,
        attempt: ({ client }) => stored(bucket(client).createSignedUploadUrl(path, { upsert: true })),
        user: FORBIDDEN,
        key: FORBIDDEN,
      },
      {
        name: `${what}: public address`,
        attempt: async ({ client }) => {
          const answer = await fetch(bucket(client).getPublicUrl(path).data.publicUrl);
          return `${answer.status} ${((await answer.json()) as { message: string }).message}`;
        },
        user: '400 Bucket not found',
        key: '400 Bucket not found',
      },
      {
        name: `${what}: with a dot, a doubled slash, an escaped name`,
        attempt: async (intruder) => {
          const tries = [
            `./${path}`,
            path.replace('/', '//'),
            `/${path}`,
            `${path}/`,
            path.replace('/', '%2F'),
            path.replaceAll('o', '%6F'),
          ];
          const said = await Promise.all(
            tries.map((name) => raw(access.raw('GET', `/storage/v1/object/mashups/${name}`, intruder))),
          );
          return said.every((one) => /^400 (400 InvalidKey|404 NoSuchKey)$/.test(one))
            ? 'all refused'
            : said.join(', ');
        },
        user: 'all refused',
        key: 'all refused',
      },
      {
        name: `${what}: climbing from an own folder`,
        attempt: async (intruder) => {
          const climbs = ['../../', '..%2F..%2F', '%2e%2e/%2e%2e/', '%2e%2e%2f%2e%2e%2f', '..%5C..%5C', 'x/../../../'];
          const paths = climbs.map((climb) => `/storage/v1/object/mashups/${ownFolder(intruder)}/${climb}${path}`);
          const said = await Promise.all(
            paths.flatMap((at) => [
              raw(access.raw('GET', at, intruder)),
              raw(access.raw('POST', at, intruder, 'x')),
              raw(access.raw('PUT', at, intruder, 'x')),
              raw(access.raw('GET', at.replace('/mashups/', '/info/mashups/'), intruder)),
              raw(access.raw('POST', at.replace('/mashups/', '/sign/mashups/'), intruder, '{"expiresIn":60}')),
              raw(access.raw('POST', at.replace('/mashups/', '/upload/sign/mashups/'), intruder, '{}')),
            ]),
          );
          return said.every((one) => one === '400 400 InvalidKey') ? 'all refused' : said.join(', ');
        },
        user: 'all refused',
        key: 'all refused',
      },
      {
        name: `${what}: climbing in the lists of bulk calls`,
        attempt: async (intruder) => {
          const climb = `${ownFolder(intruder)}/../../${path}`;
          const files = bucket(intruder.client);
          const { data } = await files.createSignedUrls([climb], 60);
          return [await stored(files.remove([climb])), await stored(files.list(climb)), data?.[0]?.signedUrl].join(' ');
        },
        user: '[] [] ',
        key: '[] [] ',
      },
      {
        name: `${what}: by the other ways to read`,
        attempt: async (intruder) => {
          const ways = [
            ['GET', `object/authenticated/mashups/${path}`],
            ['HEAD', `object/mashups/${path}`],
            ['GET', `object/info/authenticated/mashups/${path}`],
            ['GET', `render/image/authenticated/mashups/${path}`],
            ['GET', `s3/mashups/${path}`],
          ] as const;
          const said = await Promise.all(ways.map(([method, at]) => access.raw(method, `/storage/v1/${at}`, intruder)));
          return said.map(({ status, body }) => (body.includes(SECRET) ? 'told' : status)).join(' ');
        },
        user: '400 400 400 501 501',
        key: '400 400 400 501 501',
      },
    ]),
    ...[
      '',
      'uploads',
      `uploads/${owner.id}`,
      `uploads/${owner.id}/song-1`,
      'stems',
      `stems/${owner.id}`,
      'generated',
      `generated/${job}`,
      '..',
      '%',
    ].map((folder): EntryPoint => ({
      name: `list "${folder.replaceAll(/[0-9a-f-]{36}/g, 'not mine')}"`,
      attempt: ({ client }) => stored(bucket(client).list(folder)),
      user: '[]',
      key: '[]',
    })),
    ...[
      ['the owner’s folder', `uploads/${owner.id}/planted.wav`],
      ['the owner’s stems', `stems/${owner.id}/planted.wav`],
      ['results', `generated/${job}/planted.wav`],
      ['the root', 'planted.wav'],
      ['uploads of nobody', 'uploads/planted.wav'],
      ['uploads, by another case', `Uploads/${owner.id}/planted.wav`],
    ].map(([where = '', path = '']): EntryPoint => ({
      name: `upload into ${where}`,
      attempt: ({ client }) => stored(bucket(client).upload(path, sound())),
      user: FORBIDDEN,
      key: FORBIDDEN,
    })),
    {
      name: 'make a bucket',
      attempt: ({ client }) => stored(client.storage.createBucket('mine', { public: true })),
      user: FORBIDDEN,
      key: FORBIDDEN,
    },
    {
      name: 'look at the bucket',
      attempt: ({ client }) => stored(client.storage.getBucket('mashups')),
      user: '404 Bucket not found',
      key: '404 Bucket not found',
    },
    {
      // Storage runs these statements as the caller; the local gateway has no such calls.
      name: 'open the bucket to all, or delete it',
      attempt: ({ id }) =>
        functions.machine.sql.begin(async (sql) => {
          const role = id === null ? 'anon' : 'authenticated';
          await sql`select set_config('storage.allow_delete_query', 'true', true), set_config('role', ${role}, true), set_config('request.jwt.claims', ${JSON.stringify({ sub: id, role })}, true)`;
          const opened = await sql`update storage.buckets set public = true, allowed_mime_types = null`;
          const deleted = await sql`delete from storage.buckets`;
          return `${opened.count} ${deleted.count}`;
        }),
      user: '0 0',
      key: '0 0',
    },
    { name: 'see the bucket', attempt: ({ client }) => stored(client.storage.listBuckets()), user: '[]', key: '[]' },
    ...(['move', 'copy'] as const).map((how): EntryPoint => ({
      name: `${how} a file of another into an own folder`,
      attempt: async (intruder) => {
        const { error } = await bucket(intruder.client)[how](upload, `${ownFolder(intruder)}/taken.wav`);
        return String(error !== null);
      },
      user: 'true',
      key: 'true',
    })),
  ]);

  it('the owner writes neither stems nor results, and reads the result but no stems', async () => {
    const mine = bucket(owner.client);
    assert.equal(await stored(mine.download(result)), `bytes: ${SECRET}`);
    assert.equal(await stored(mine.download(stem)), NOT_FOUND);
    for (const path of [stem, result, `stems/${owner.id}/x.wav`, `generated/${job}/x.wav`])
      assert.equal(await stored(mine.upload(path, sound(), { upsert: true })), FORBIDDEN);
    for (const path of [stem, result]) assert.equal(await stored(mine.remove([path])), '[]');
  });
});

describe('signed links', () => {
  const get = async (path: string, token: string): Promise<Outcome> =>
    raw(access.raw('GET', `/storage/v1/object/sign/mashups/${path}?token=${token}`, access.intruders[2]!));
  const put = async (path: string, token: string): Promise<Outcome> =>
    raw(access.raw('PUT', `/storage/v1/object/upload/sign/mashups/${path}?token=${token}`, access.intruders[2]!, 'x'));

  it('an expired, changed or foreign link is refused', async () => {
    const url = `mashups/${upload}`;
    const expired = await access.link({ scope: 'download', url }, -5);
    const good = await access.link({ scope: 'download', url }, 60);
    assert.equal(await get(upload, good), `200 ${SECRET}`);
    assert.equal(await get(upload, expired), '400 400 InvalidJWT');
    assert.equal(await get(result, good), '400 400 InvalidSignature');
    assert.equal(await get(stem, good), '400 400 InvalidSignature');
    const [head, body = '', signature] = good.split('.');
    const changed = Buffer.from(Buffer.from(body, 'base64url').toString().replace(upload, result)).toString(
      'base64url',
    );
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    for (const forged of [
      `${head}.${changed}.${signature}`,
      `${none}.${changed}.`,
      `${none}.${changed}.${signature}`,
      owner.token,
      functions.keys.serviceRoleKey,
      '',
    ])
      assert.match(await get(result, forged), /^400 400 Invalid(JWT|Request)$/);
  });

  it('an upload token writes its own path and no other, and reads nothing', async () => {
    const [intruder] = access.intruders;
    assert.ok(intruder?.id);
    const own = `uploads/${intruder.id}/s/x.wav`;
    const { data } = await bucket(intruder.client).createSignedUploadUrl(own, { upsert: true });
    assert.ok(data);
    const before = await access.ownedRows();
    for (const path of [
      upload,
      stem,
      result,
      `uploads/${owner.id}/planted.wav`,
      `${own}/../../../${owner.id}/planted.wav`,
    ])
      assert.match(await put(path, data.token), /^400 400 Invalid(Signature|Key)$/);
    assert.equal(await get(own, data.token), '400 400 InvalidSignature');
    const download = await access.link({ scope: 'download', url: `mashups/${upload}` }, 60);
    assert.equal(await put(upload, download), '400 400 InvalidSignature');
    const late = await access.link({ scope: 'upload', url: `mashups/${own}`, upsert: true, owner: intruder.id }, -5);
    assert.equal(await put(own, late), '400 400 InvalidJWT');
    assert.equal(await access.ownedRows(), before);
    assert.equal((await put(own, data.token)).slice(0, 3), '200');
  });
});

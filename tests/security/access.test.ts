/**
 * Every entry point to somebody else's mashups, tried by a registered user, an anonymous user and a visitor with the anon
 * key. Each entry states the responses that they must get.
 */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { SupabaseClient } from '@supabase/supabase-js';
import { until } from '../functions/functions-fixture.ts';
import { startAccessFixture, invalidTokens, SECRET } from './access-fixture.ts';
import type { AccessFixture, Intruder } from './access-fixture.ts';

const access: AccessFixture = await startAccessFixture({ after });
const { functions, owner, job, draft, failed, running, upload, stem, result } = access;

/** The outcome of an attempt: status and code, or the content. */
type Outcome = string;
interface EntryPoint {
  name: string;
  attempt: (intruder: Intruder) => PromiseLike<Outcome>;
  /** Expected outcome for the two intruders who are signed in. */
  user: Outcome;
  /** Expected outcome for the visitor with the anon key. */
  key: Outcome;
}

interface RestAnswer {
  status: number;
  error: { code: string; message: string } | null;
  data: unknown;
}
const rest = async (call: PromiseLike<RestAnswer>): Promise<Outcome> => {
  const { status, error, data } = await call;
  return error ? `${status} ${error.code}` : `${status} ${JSON.stringify(data)}`;
};
interface StorageAnswer {
  error: (Error & { statusCode?: string }) | null;
  data: unknown;
}
const stored = async (call: PromiseLike<StorageAnswer>): Promise<Outcome> => {
  const { error, data } = await call;
  if (error) return `${error.statusCode} ${error.message}`;
  return data instanceof Blob ? `bytes: ${await data.text()}` : JSON.stringify(data);
};
const raw = async (call: Promise<{ status: number; body: string }>): Promise<Outcome> => {
  const { status, body } = await call;
  const parsed = (body.startsWith('{') ? JSON.parse(body) : {}) as { statusCode?: string; code?: string };
  return [status, parsed.statusCode, parsed.code ?? (body === '' ? '' : body.slice(0, 40))].filter(Boolean).join(' ');
};
const bucket = (client: SupabaseClient): ReturnType<SupabaseClient['storage']['from']> =>
  client.storage.from('mashups');

/** Tries each entry point as each intruder. The owner's rows must not change. */
function assertDenied(entryPoints: EntryPoint[]): void {
  for (const { name, attempt, user, key } of entryPoints) {
    it(name, async () => {
      const before = await access.ownedRows();
      for (const intruder of access.intruders) {
        const outcome = await attempt(intruder);
        assert.equal(outcome, intruder.id === null ? key : user, `${intruder.name}: ${name}`);
        assert.ok(!outcome.includes(SECRET), 'the content is not returned');
      }
      assert.equal(await access.ownedRows(), before, 'nothing of the owner’s has changed');
    });
  }
}

describe('rows', () => {
  const NO_RIGHT = '401 42501';
  const tables = [
    ['mashup_jobs', 'id', { user_id: owner.id, songs: [{}] }],
    ['mashup_plans', 'job_id', { job_id: job, version: 9, epoch: 1, source: 'rules', plan: {}, song_ids: [] }],
    ['mashup_results', 'job_id', { job_id: job, epoch: 9, path: 'x', quality: {} }],
    ['mashup_job_events', 'job_id', { job_id: job, epoch: 1, type: 'warning', stage: 'queued', message: 'x' }],
  ] as const;
  // Two columns of plans and events belong to operators; whoever asks for all columns is refused by the grant.
  const columns = { mashup_jobs: '*', mashup_plans: 'plan', mashup_results: '*', mashup_job_events: 'message' };
  assertDenied(
    tables.flatMap(([table, id, row]): EntryPoint[] => [
      {
        name: `${table}: read all`,
        attempt: ({ client }) => rest(client.from(table).select(columns[table])),
        user: '200 []',
        key: NO_RIGHT,
      },
      {
        name: `${table}: read the one whose id is known`,
        attempt: ({ client }) => rest(client.from(table).select(columns[table]).eq(id, job)),
        user: '200 []',
        key: NO_RIGHT,
      },
      {
        name: `${table}: count`,
        attempt: async ({ client }) => {
          const { status, count } = await client.from(table).select(id, { count: 'exact', head: true });
          return `${status} ${count}`;
        },
        user: '200 0',
        key: '401 null',
      },
      {
        name: `${table}: insert`,
        attempt: ({ client }) => rest(client.from(table).insert(row as never)),
        user: '403 42501',
        key: NO_RIGHT,
      },
      {
        name: `${table}: update`,
        attempt: ({ client }) => rest(client.from(table).update({ epoch: 7 }).eq(id, job)),
        user: '403 42501',
        key: NO_RIGHT,
      },
      {
        name: `${table}: delete`,
        attempt: ({ client }) => rest(client.from(table).delete().eq(id, job)),
        user: '403 42501',
        key: NO_RIGHT,
      },
    ]),
  );
  assertDenied([
    {
      name: 'events: the columns of operators',
      attempt: ({ client }) => rest(client.from('mashup_job_events').select('actor,detail')),
      user: '403 42501',
      key: NO_RIGHT,
    },
  ]);

  it('the owner cannot write rows either, nor read what is for operators', async () => {
    const { client } = owner;
    for (const call of [
      client.from('mashup_jobs').update({ stage: 'complete', result_path: upload }).eq('id', running),
      client.from('mashup_jobs').update({ user_id: owner.id }).eq('id', job),
      client.from('mashup_jobs').delete().eq('id', job),
      client.from('mashup_jobs').insert({ user_id: owner.id, songs: [{}] }),
      client.from('mashup_results').insert({ job_id: job, epoch: 9, path: upload, quality: {} }),
      client.from('mashup_job_events').delete().eq('job_id', job),
      client.from('mashup_job_events').select('actor'),
      client.from('mashup_job_events').select('detail'),
    ])
      assert.equal(await rest(call), '403 42501');
    assert.equal((await client.from('mashup_jobs').select('id')).data?.length, 4, 'and reads all of their own');
  });
});

describe('functions of the database', () => {
  const verbs: [string, Record<string, unknown>][] = [
    ['cancel_mashup', { job_id: running }],
    ['retry_mashup', { job_id: failed }],
    ['start_mashup', { job_id: draft }],
    ['replay_mashup', { job_id: job, stage: 'planning' }],
    ['replay_mashup', { job_id: job, stage: 'analyzing', fresh: true }],
    ['delete_mashup', { job_id: job }],
    ['delete_mashup', { job_id: running }],
    ['iterate_mashup', { parent_id: job, feedback: 'more bass' }],
    ['get_mashup_analyses', { job_id: job }],
    ['get_mashup_stems', { job_id: job }],
  ];
  assertDenied([
    ...verbs.map(([name, values]): EntryPoint => ({
      name: `${name}(${JSON.stringify(values).replaceAll(/"[0-9a-f-]{36}"/g, 'not mine')})`,
      attempt: ({ client }) => rest(client.rpc(name, values)),
      user: '400 MB002',
      key: '401 42501',
    })),
    {
      name: 'get_mashup',
      attempt: ({ client }) => rest(client.rpc('get_mashup', { job_id: job })),
      user: '200 null',
      key: '401 42501',
    },
    {
      name: 'submit_mashup with uploads of another',
      attempt: ({ client }) =>
        rest(
          client.rpc('submit_mashup', {
            songs: [upload, stem].map((path, n) => ({ song_id: `s${n}`, name: 'x', artist: 'y', storage_path: path })),
          }),
        ),
      user: '400 MB008',
      key: '401 42501',
    },
    {
      name: 'submit_mashup with a result of another',
      attempt: ({ client }) =>
        rest(
          client.rpc('submit_mashup', { hold: 'planning', songs: [{ song_id: 's', name: 'x', storage_path: result }] }),
        ),
      user: '400 MB008',
      key: '401 42501',
    },
    ...['sweep', 'claim_task', 'replay', 'cancel', 'raise_error', 'now', 'caller', 'grant_queue'].map(
      (name): EntryPoint => ({
        name: `mashup.${name} by its bare name`,
        attempt: ({ client }) => rest(client.rpc(name, {})),
        user: '404 PGRST202',
        key: '404 PGRST202',
      }),
    ),
  ]);

  it('not mine and not there are one answer', async () => {
    const [intruder] = access.intruders;
    assert.ok(intruder);
    const absent = crypto.randomUUID();
    for (const [name, values] of verbs) {
      const say = async (id: string): Promise<string> => {
        const mapped = Object.fromEntries(
          Object.entries(values).map(([key, value]) => [key, /_id$/.test(key) ? id : value]),
        );
        const { error } = await intruder.client.rpc(name, mapped);
        return JSON.stringify([error?.code, error?.message.replace(id, '<id>'), error?.hint, error?.details]);
      };
      assert.equal(await say(job), await say(absent), name);
    }
  });
});

describe('schemas that are not exposed', () => {
  const tables: [string, string][] = [
    ['mashup', 'tasks'],
    ['mashup', 'settings'],
    ['mashup', 'plan_receipts'],
    ['mashup', 'analyses'],
    ['mashup', 'stems'],
    ['mashup', 'workers'],
    ['mashup', 'stuck'],
    ['graphile_worker', 'jobs'],
    ['graphile_worker', '_private_jobs'],
    ['auth', 'users'],
    ['auth', 'refresh_tokens'],
    ['storage', 'objects'],
    ['realtime', 'messages'],
    ['pg_catalog', 'pg_authid'],
    ['supabase_migrations', 'schema_migrations'],
  ];
  assertDenied([
    ...tables.map(([schema, table]): EntryPoint => ({
      name: `${schema}.${table} by its profile`,
      attempt: ({ client }) => rest(client.schema(schema).from(table).select('*')),
      user: '406 PGRST106',
      key: '406 PGRST106',
    })),
    ...(
      [
        ['mashup', 'sweep'],
        ['mashup', 'replay'],
        ['graphile_worker', 'add_job'],
        ['graphile_worker', 'force_unlock_workers'],
        ['pg_catalog', 'pg_sleep'],
        ['pg_catalog', 'pg_read_file'],
      ] as const
    ).map(([schema, name]): EntryPoint => ({
      name: `${schema}.${name}() by its profile`,
      attempt: ({ client }) => rest(client.schema(schema).rpc(name, {})),
      user: '406 PGRST106',
      key: '406 PGRST106',
    })),
    ...(
      [
        ['mashup', 'settings', { name: 'max_queued_jobs', value: 0 }],
        ['mashup', 'tasks', { job_id: job }],
        ['graphile_worker', '_private_jobs', { task_id: 1 }],
      ] as [string, string, Record<string, unknown>][]
    ).flatMap(([schema, table, row]): EntryPoint[] => {
      const writes: [string, (intruder: Intruder) => PromiseLike<RestAnswer>][] = [
        ['insert into', ({ client }) => client.schema(schema).from(table).insert(row)],
        ['update', ({ client }) => client.schema(schema).from(table).update(row).neq('id', 0)],
        ['delete from', ({ client }) => client.schema(schema).from(table).delete().neq('id', 0)],
      ];
      return writes.map(([what, write]) => ({
        name: `${what} ${schema}.${table} by its profile`,
        attempt: (intruder) => rest(write(intruder)),
        user: '406 PGRST106',
        key: '406 PGRST106',
      }));
    }),
    {
      name: 'mashup.tasks by a dotted name',
      attempt: ({ client }) => rest(client.from('mashup.tasks').select('*')),
      user: '404 PGRST205',
      key: '404 PGRST205',
    },
    {
      name: 'users embedded in jobs',
      attempt: ({ client }) =>
        client
          .from('mashup_jobs')
          .select('*, users(*)')
          .then(({ status }) => String(status)),
      user: '501',
      key: '501',
    },
  ]);
});

describe('files', () => {
  const GONE = '404 Object not found';
  const BARRED = '403 new row violates row-level security policy';
  const ownFolder = (intruder: Intruder): string => `uploads/${intruder.id ?? owner.id}`;
  const sound = (): Blob => new Blob(['another sound'], { type: 'audio/wav' });
  const ownedFiles: [string, string][] = [
    ['an upload', upload],
    ['a stem', stem],
    ['a result', result],
  ];
  assertDenied([
    ...ownedFiles.flatMap(([what, path]): EntryPoint[] => [
      {
        name: `${what}: download`,
        attempt: ({ client }) => stored(bucket(client).download(path)),
        user: GONE,
        key: GONE,
      },
      {
        name: `${what}: sign a link`,
        attempt: ({ client }) => stored(bucket(client).createSignedUrl(path, 60)),
        user: GONE,
        key: GONE,
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
        user: GONE,
        key: GONE,
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
        user: BARRED,
        key: BARRED,
      },
      {
        name: `${what}: update`,
        attempt: ({ client }) => stored(bucket(client).update(path, sound())),
        user: GONE,
        key: GONE,
      },
      {
        name: `${what}: sign an upload over it`,
        attempt: ({ client }) => stored(bucket(client).createSignedUploadUrl(path, { upsert: true })),
        user: BARRED,
        key: BARRED,
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
      user: folder === '..' ? '[]' : '[]',
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
      user: BARRED,
      key: BARRED,
    })),
    {
      name: 'make a bucket',
      attempt: ({ client }) => stored(client.storage.createBucket('mine', { public: true })),
      user: BARRED,
      key: BARRED,
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
    assert.equal(await stored(mine.download(stem)), GONE);
    for (const path of [stem, result, `stems/${owner.id}/x.wav`, `generated/${job}/x.wav`])
      assert.equal(await stored(mine.upload(path, sound(), { upsert: true })), BARRED);
    for (const path of [stem, result]) assert.equal(await stored(mine.remove([path])), '[]');
  });
});

describe('signed links', () => {
  const get = async (path: string, token: string): Promise<Outcome> =>
    raw(access.raw('GET', `/storage/v1/object/sign/mashups/${path}?token=${token}`, access.intruders[2]!));
  const put = async (path: string, token: string): Promise<Outcome> =>
    raw(access.raw('PUT', `/storage/v1/object/upload/sign/mashups/${path}?token=${token}`, access.intruders[2]!, 'x'));

  it('a link that has run out, was changed, or is for another file opens nothing', async () => {
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

  it('an upload token writes the place it was given for and no other, and reads nothing', async () => {
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

describe('edge functions', () => {
  const call = async (name: string, body: unknown, intruder: Intruder): Promise<Outcome> => {
    const answer = await functions.call(name, body, { as: intruder.bearer });
    return `${answer.status} ${answer.body.code}`;
  };
  const NOBODY = '401 sign_in_required';
  const songs = [upload, stem].map((storage_path, n) => ({ song_id: `s${n}`, name: 'x', artist: 'y', storage_path }));
  const entryPoints: [string, string, unknown, Outcome][] = [
    ['generate-mashup with uploads of another', 'generate-mashup', { songs }, '404 upload_missing'],
    [
      'generate-mashup with a path that climbs',
      'generate-mashup',
      { songs: songs.map((song) => ({ ...song, storage_path: `uploads/x/../${owner.id}/song-1/song.wav` })) },
      '404 upload_missing',
    ],
    ['get-mashup-status of another', 'get-mashup-status', { jobId: job }, '404 job_not_found'],
    [
      'claude-mashup-iteration on another',
      'claude-mashup-iteration',
      { jobId: job, userFeedback: 'louder' },
      '404 job_not_found',
    ],
    [
      'stem-separation by job',
      'stem-separation',
      { job_id: job, audio_url: `${functions.url}/storage/v1/object/mashups/${upload}` },
      '404 job_not_found',
    ],
    [
      'stem-separation by job and song',
      'stem-separation',
      { job_id: `${job}/song-1`, audio_url: 'x' },
      '404 job_not_found',
    ],
    [
      'create-signed-upload with a climbing song id',
      'create-signed-upload',
      { songId: `../${owner.id}`, fileName: 'x.wav' },
      '400 invalid_song_id',
    ],
  ];
  assertDenied(
    entryPoints.map(([name, endpoint, body, user]) => ({
      name,
      attempt: (intruder) => call(endpoint, body, intruder),
      user,
      key: NOBODY,
    })),
  );

  it('create-signed-upload puts any file name below the caller’s own folder', async () => {
    const [intruder] = access.intruders;
    assert.ok(intruder?.id);
    for (const fileName of [
      '../../x.wav',
      `..\\..\\${owner.id}.wav`,
      '%2e%2e%2fx.wav',
      'a/../../b.wav',
      '.wav',
      '\u202ewav.exe.wav',
      `${'../'.repeat(40)}etc.wav`,
    ]) {
      const { status, body } = await functions.call(
        'create-signed-upload',
        { songId: 's', fileName },
        { as: intruder.bearer },
      );
      assert.equal(status, 200, JSON.stringify(body));
      assert.match(String(body['path']), new RegExp(`^uploads/${intruder.id}/s/[\\w.-]+\\.wav$`));
      assert.ok(!String(body['path']).includes('/../') && !String(body['path']).includes('/..'), String(body['path']));
    }
  });

  it('names no one but the caller, whatever the body claims', async () => {
    const [intruder] = access.intruders;
    assert.ok(intruder?.id);
    const claims = { user_id: owner.id, userId: owner.id, owner: owner.id, role: 'service_role' };
    const { body } = await functions.call(
      'create-signed-upload',
      { songId: 's', fileName: 'x.wav', ...claims },
      { as: intruder.bearer, headers: { 'x-user-id': owner.id } },
    );
    assert.ok(String(body['path']).startsWith(`uploads/${intruder.id}/`));
    const status = await functions.call('get-mashup-status', { jobId: job, ...claims }, { as: intruder.bearer });
    assert.equal(status.status, 404);
  });
});

/** A body for each edge function, of things that are the owner's. */
const FUNCTION_BODIES: Record<string, object> = {
  'generate-mashup': { songs: [{ song_id: 's', name: 'x', storage_path: upload }], hold: 'planning' },
  'get-mashup-status': { jobId: job },
  'create-signed-upload': { songId: 'song-1', fileName: 'song.wav' },
  'claude-mashup-iteration': { jobId: job, userFeedback: 'louder' },
  'stem-separation': { job_id: job, audio_url: upload },
};

async function callFunctions(intruder: Intruder): Promise<Record<string, { status: number; body: string }>> {
  const answers: Record<string, { status: number; body: string }> = {};
  for (const [name, body] of Object.entries(FUNCTION_BODIES))
    answers[name] = await access.raw('POST', `/functions/v1/${name}`, intruder, JSON.stringify(body));
  return answers;
}

describe('tokens that are not the owner’s', () => {
  it('open neither rows, nor files, nor functions, nor Auth, nor the operator’s calls', async () => {
    for (const [what, token] of Object.entries(await invalidTokens(access))) {
      const intruder: Intruder = { name: what, client: functions.client(), bearer: token, id: null };
      const answers = {
        rows: await access.raw('GET', '/rest/v1/mashup_jobs?select=*', intruder),
        rpc: await access.raw('POST', '/rest/v1/rpc/delete_mashup', intruder, JSON.stringify({ job_id: job })),
        list: await access.raw(
          'POST',
          '/storage/v1/object/list/mashups',
          intruder,
          JSON.stringify({ prefix: `uploads/${owner.id}/song-1` }),
        ),
        file: await access.raw('GET', `/storage/v1/object/mashups/${upload}`, intruder),
        user: await access.raw('GET', '/auth/v1/user', intruder),
        users: await access.raw('GET', '/auth/v1/admin/users', intruder),
        ...(await callFunctions(intruder)),
      };
      const said = Object.entries(answers).map(([entryPoint, { status, body }]) => {
        assert.ok(!body.includes(SECRET) && !body.includes(owner.id), `${what}: ${entryPoint} tells nothing`);
        return `${entryPoint} ${status}`;
      });
      assert.deepEqual(
        said,
        [
          'rows 401',
          'rpc 401',
          'list 400',
          'file 400',
          'user 403',
          'users 403',
          ...Object.keys(FUNCTION_BODIES).map((name) => `${name} 401`),
        ],
        what,
      );
    }
  });

  it('nor does no token, whatever stands in its place', async () => {
    const { anonKey } = functions.keys;
    const places: [string, Record<string, string>][] = [
      ['nothing', {}],
      ['the key alone', { apikey: anonKey }],
      ['an empty bearer', { apikey: anonKey, authorization: 'Bearer ' }],
      ['another scheme', { apikey: anonKey, authorization: `Basic ${owner.token}` }],
      ['a token in a cookie', { apikey: anonKey, cookie: `sb-access-token=${owner.token}` }],
    ];
    for (const [what, headers] of places) {
      for (const [name, body] of Object.entries(FUNCTION_BODIES)) {
        const url = `${functions.url}/functions/v1/${name}?access_token=${owner.token}&apikey=${anonKey}`;
        const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
        const { code } = (await answer.json()) as { code: string };
        assert.deepEqual([answer.status, code], [401, 'sign_in_required'], `${name} with ${what}`);
      }
      for (const path of ['/rest/v1/mashup_jobs?select=*', `/storage/v1/object/mashups/${upload}`, '/auth/v1/user']) {
        const answer = await fetch(functions.url + path, { headers });
        const said = await answer.text();
        assert.ok(answer.status >= 400 && answer.status < 500, `${path} with ${what}: ${answer.status}`);
        assert.ok(!said.includes(SECRET) && !said.includes(owner.id), `${path} with ${what}`);
      }
    }
  });

  it('the anon key and a user’s token are no operator', async () => {
    for (const intruder of [
      ...access.intruders,
      { name: 'the owner', client: owner.client, bearer: owner.token, id: owner.id },
    ]) {
      for (const [method, path] of [
        ['GET', '/auth/v1/admin/users'],
        ['POST', '/auth/v1/admin/users'],
        ['DELETE', `/auth/v1/admin/users/${owner.id}`],
      ] as const) {
        const { status, body } = await access.raw(method, path, intruder, method === 'POST' ? '{}' : undefined);
        assert.ok(status === 401 || status === 403, `${intruder.name} ${method} ${path}: ${status} ${body}`);
      }
    }
  });
});

describe('channels', () => {
  const listen = (client: SupabaseClient, wanted: Record<string, string>): { heard: string[]; system: string[] } => {
    const heard: string[] = [];
    const system: string[] = [];
    client
      .channel(crypto.randomUUID())
      .on('system', {}, (message: { status: string }) => system.push(message.status))
      .on(
        'postgres_changes' as never,
        { event: '*', ...wanted } as never,
        (change: { eventType: string; new: object; old: object }) =>
          heard.push(JSON.stringify([change.eventType, change.new, change.old])),
      )
      .subscribe();
    return { heard, system };
  };

  it('nobody hears a change of another’s job, by its filter, by its owner, by the whole table or the whole schema', async () => {
    const { machine } = functions;
    const id = await machine.submit(owner.id);
    const wishes: Record<string, string>[] = [
      { schema: 'public', table: 'mashup_jobs', filter: `id=eq.${id}` },
      { schema: 'public', table: 'mashup_jobs', filter: `user_id=eq.${owner.id}` },
      { schema: 'public', table: 'mashup_jobs' },
      { schema: 'public' },
      { schema: '*' },
    ];
    const watches: ReturnType<typeof listen>[] = [];
    for (const { client } of access.intruders) {
      await client.realtime.setAuth();
      for (const wish of wishes) watches.push(listen(client, wish));
    }
    await owner.client.realtime.setAuth();
    const owned = listen(owner.client, wishes[0]!);
    // To the anon key, which has no right on the table, its wishes are refused; the others are subscribed.
    await until('all wishes are answered', () => [owned, ...watches].every(({ system }) => system.length > 0));
    assert.equal(owned.system[0], 'ok');
    await machine.sql`select mashup.cancel(${id})`;
    await until('the owner hears it', () => owned.heard.some((change) => change.includes('"cancelled"')));
    // Commit order: what the owner has heard after the change was offered to the others before.
    const later = await machine.submit(owner.id);
    await machine.sql`select mashup.cancel(${later})`;
    await machine.sql`delete from public.mashup_jobs where id = ${later}`;
    await machine.sql`delete from public.mashup_jobs where id = ${id}`;
    await until('the owner hears its end', () => owned.heard.some((change) => change.startsWith('["DELETE"')));
    // Realtime cannot ask a policy about a row that is gone: every listener learns the id of a deleted job, and only that.
    const told = [...new Set(watches.flatMap(({ heard }) => heard))];
    for (const change of told) assert.match(change, /^\["DELETE",\{\},\{"id":"[0-9a-f-]{36}"\}\]$/);
    assert.equal(
      told.some((change) => change.includes('INSERT') || change.includes('UPDATE')),
      false,
    );
  });

  it('tables that are not published, or in schemas that are not exposed, give no stream', async () => {
    const [intruder] = access.intruders;
    assert.ok(intruder);
    const streams = [
      ['public', 'mashup_job_events'],
      ['public', 'mashup_plans'],
      ['mashup', 'tasks'],
      ['graphile_worker', '_private_jobs'],
      ['auth', 'users'],
      ['storage', 'objects'],
    ].map(([schema = '', table = '']) => listen(intruder.client, { schema, table }));
    await until('each is answered', () => streams.every(({ system }) => system.length > 0));
    assert.deepEqual(new Set(streams.flatMap(({ system }) => system)), new Set(['error']));
  });

  it('a private channel lets nobody in where no policy does', async () => {
    for (const { client, name } of [...access.intruders, { ...owner, name: 'the owner' }]) {
      const states: string[] = [];
      const channel = client
        .channel(`job:${job}`, { config: { private: true } })
        .subscribe((state) => states.push(state));
      await until(`${name} is answered`, () => states.length > 0);
      assert.equal(states[0], 'CHANNEL_ERROR', name);
      await client.removeChannel(channel);
    }
  });

  it('a false token joins nothing', async () => {
    for (const [what, token] of Object.entries(await invalidTokens(access))) {
      const client = functions.client();
      await client.realtime.setAuth(token);
      const states: string[] = [];
      const channel = client
        .channel('x')
        .on('postgres_changes', { event: '*', schema: 'public', table: 'mashup_jobs' }, () => states.push('heard'))
        .subscribe((state) => states.push(state));
      await until(`${what} is answered`, () => states.length > 0);
      assert.equal(states[0], 'CHANNEL_ERROR', what);
      await client.removeChannel(channel);
    }
  });
});

/** Last: the intruders have files of their own from here on. */
describe('keys of idempotency', () => {
  it('a key that another has used opens no job of theirs', async () => {
    const key = crypto.randomUUID();
    const submit = async (client: SupabaseClient, path: string): Promise<string> => {
      const songs = [{ song_id: 's', name: 'x', artist: 'y', storage_path: path }];
      const { data, error } = await client.rpc('submit_mashup', { songs, hold: 'planning', idempotency_key: key });
      return error?.code ?? (data as { job_id: string }).job_id;
    };
    const theirs = await submit(owner.client, upload);
    for (const { client, id } of access.intruders.filter((intruder) => intruder.id !== null)) {
      const [song] = await functions.machine.songs(id ?? '', 1);
      assert.equal(await submit(client, upload), 'MB008');
      const mine = await submit(client, song?.storage_path ?? '');
      assert.match(mine, /^[0-9a-f-]{36}$/);
      assert.notEqual(mine, theirs);
    }
    assert.equal(await submit(owner.client, upload), theirs, 'the owner meets their own again');
    await functions.machine.sql`delete from public.mashup_jobs where id = ${theirs}`;
  });
});

/** Access to rows, SQL functions and schemas by users without a right to them. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { startAccessFixture } from './access-fixture.ts';
import type { Intruder } from './access-fixture.ts';
import { assertDenied, rest } from './entry-points.ts';
import type { EntryPoint, RestResponse } from './entry-points.ts';

const access = await startAccessFixture({ after });
const { owner, job, draft, failed, running, upload, stem, result } = access;

describe('rows', () => {
  const NO_RIGHT = '401 42501';
  const tables = [
    ['mashup_jobs', 'id', { user_id: owner.id, songs: [{}] }],
    ['mashup_plans', 'job_id', { job_id: job, version: 9, epoch: 1, source: 'rules', plan: {}, song_ids: [] }],
    ['mashup_results', 'job_id', { job_id: job, epoch: 9, path: 'x', quality: {} }],
    ['mashup_job_events', 'job_id', { job_id: job, epoch: 1, type: 'warning', stage: 'queued', message: 'x' }],
    ['mashup_shares', 'job_id', { token: 'A'.repeat(24), job_id: job }],
  ] as const;
  // Some columns of plans and events are for operators only; the grants refuse a read of all columns.
  const columns = {
    mashup_jobs: '*',
    mashup_plans: 'plan',
    mashup_results: '*',
    mashup_job_events: 'message',
    mashup_shares: 'token,job_id',
  };
  assertDenied(
    access,
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
        attempt: ({ client }) =>
          rest(
            client
              .from(table)
              .update(table === 'mashup_shares' ? { revoked_at: null } : { epoch: 7 })
              .eq(id, job),
          ),
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
  assertDenied(access, [
    {
      name: 'events: the columns of operators',
      attempt: ({ client }) => rest(client.from('mashup_job_events').select('actor,detail')),
      user: '403 42501',
      key: NO_RIGHT,
    },
    {
      name: 'shares: the columns of operators',
      attempt: ({ client }) => rest(client.from('mashup_shares').select('actor')),
      user: '403 42501',
      key: NO_RIGHT,
    },
  ]);

  it('the owner can neither write rows nor read the columns of operators', async () => {
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
    assert.equal((await client.from('mashup_jobs').select('id')).data?.length, 4, 'the owner reads all own jobs');
  });
});

describe('functions of the database', () => {
  const operations: [string, Record<string, unknown>][] = [
    ['cancel_mashup', { job_id: running }],
    ['retry_mashup', { job_id: failed }],
    ['start_mashup', { job_id: draft }],
    ['replay_mashup', { job_id: job, stage: 'planning' }],
    ['replay_mashup', { job_id: job, stage: 'analyzing', fresh: true }],
    ['delete_mashup', { job_id: job }],
    ['delete_mashup', { job_id: running }],
    ['iterate_mashup', { parent_id: job, feedback: 'more bass' }],
    ['edit_mashup', { p_job_id: job, p_edits: { plan_version: 1, edits: [{ kind: 'swap_songs' }] } }],
    ['get_mashup_analyses', { job_id: job }],
    ['get_mashup_stems', { job_id: job }],
    ['share_mashup', { p_job_id: job }],
    ['unshare_mashup', { p_job_id: job }],
  ];
  assertDenied(access, [
    ...operations.map(([name, values]): EntryPoint => ({
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
    ...['mashup', 'cover', 'audio'].map((p_part): EntryPoint => ({
      name: `read_share of the part ${p_part}, which the functions call`,
      attempt: ({ client }) => rest(client.rpc('read_share', { p_token: access.token, p_part })),
      user: '403 42501',
      key: '401 42501',
    })),
    {
      name: 'operator_take_down_share',
      attempt: ({ client }) =>
        rest(client.rpc('operator_take_down_share', { share: access.token, reason: 'not theirs' })),
      user: '403 42501',
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

  it('a job of another user and a missing job give the same response', async () => {
    const [intruder] = access.intruders;
    assert.ok(intruder);
    const absent = crypto.randomUUID();
    for (const [name, values] of operations) {
      const errorFor = async (id: string): Promise<string> => {
        const mapped = Object.fromEntries(
          Object.entries(values).map(([key, value]) => [key, /_id$/.test(key) ? id : value]),
        );
        const { error } = await intruder.client.rpc(name, mapped);
        return JSON.stringify([error?.code, error?.message.replace(id, '<id>'), error?.hint, error?.details]);
      };
      assert.equal(await errorFor(job), await errorFor(absent), name);
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
    ['mashup', 'own_stems'],
    ['mashup', 'share_counts'],
    ['mashup', 'share_salt'],
    ['mashup', 'plan_edits'],
    ['mashup', 'workers'],
    ['mashup', 'stuck'],
    ['mashup_queue', 'jobs'],
    ['mashup_queue', '_private_jobs'],
    ['auth', 'users'],
    ['auth', 'refresh_tokens'],
    ['storage', 'objects'],
    ['realtime', 'messages'],
    ['pg_catalog', 'pg_authid'],
    ['supabase_migrations', 'schema_migrations'],
  ];
  assertDenied(access, [
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
        ['mashup_queue', 'add_job'],
        ['mashup_queue', 'force_unlock_workers'],
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
        ['mashup_queue', '_private_jobs', { task_id: 1 }],
      ] as [string, string, Record<string, unknown>][]
    ).flatMap(([schema, table, row]): EntryPoint[] => {
      const writes: [string, (intruder: Intruder) => PromiseLike<RestResponse>][] = [
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

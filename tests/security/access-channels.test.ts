/** Access to Realtime channels and idempotency keys of other users. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { SupabaseClient } from '@supabase/supabase-js';
import { until } from '../support/until.ts';
import { invalidTokens, startAccessFixture } from './access-fixture.ts';

const access = await startAccessFixture({ after });
const { functions, owner, job, upload } = access;

describe('channels', () => {
  const subscribe = (
    client: SupabaseClient,
    wanted: Record<string, string>,
  ): { changes: string[]; system: string[] } => {
    const changes: string[] = [];
    const system: string[] = [];
    client
      .channel(crypto.randomUUID())
      .on('system', {}, (message: { status: string }) => system.push(message.status))
      .on(
        'postgres_changes' as never,
        { event: '*', ...wanted } as never,
        (change: { eventType: string; new: object; old: object }) =>
          changes.push(JSON.stringify([change.eventType, change.new, change.old])),
      )
      .subscribe();
    return { changes, system };
  };

  it('nobody receives changes of another user’s job, by id, by owner, by table or by schema', async () => {
    const { machine } = functions;
    const id = await machine.submit(owner.id);
    const filters: Record<string, string>[] = [
      { schema: 'public', table: 'mashup_jobs', filter: `id=eq.${id}` },
      { schema: 'public', table: 'mashup_jobs', filter: `user_id=eq.${owner.id}` },
      { schema: 'public', table: 'mashup_jobs' },
      { schema: 'public' },
      { schema: '*' },
    ];
    const watches: ReturnType<typeof subscribe>[] = [];
    for (const { client } of access.intruders) {
      await client.realtime.setAuth();
      for (const filter of filters) watches.push(subscribe(client, filter));
    }
    await owner.client.realtime.setAuth();
    const owned = subscribe(owner.client, filters[0]!);
    // Subscriptions of the anon key, which has no right on the table, are refused; the others are accepted.
    await until('all subscriptions are answered', () => [owned, ...watches].every(({ system }) => system.length > 0));
    assert.equal(owned.system[0], 'ok');
    await machine.sql`select mashup.cancel(${id})`;
    await until('the owner receives it', () => owned.changes.some((change) => change.includes('"cancelled"')));
    // Changes are sent in commit order: what the owner receives later was checked for the others before.
    const later = await machine.submit(owner.id);
    await machine.sql`select mashup.cancel(${later})`;
    await machine.sql`delete from public.mashup_jobs where id = ${later}`;
    await machine.sql`delete from public.mashup_jobs where id = ${id}`;
    await until('the owner receives its deletion', () =>
      owned.changes.some((change) => change.startsWith('["DELETE"')),
    );
    // Realtime cannot check a policy for a deleted row: every subscriber receives the id of a deleted job, and only that.
    const received = [...new Set(watches.flatMap(({ changes }) => changes))];
    for (const change of received) assert.match(change, /^\["DELETE",\{\},\{"id":"[0-9a-f-]{36}"\}\]$/);
    assert.equal(
      received.some((change) => change.includes('INSERT') || change.includes('UPDATE')),
      false,
    );
  });

  it('tables that are not published, or in schemas that are not exposed, give no changes', async () => {
    const [intruder] = access.intruders;
    assert.ok(intruder);
    const streams = [
      ['public', 'mashup_job_events'],
      ['public', 'mashup_plans'],
      ['mashup', 'tasks'],
      ['mashup_queue', '_private_jobs'],
      ['auth', 'users'],
      ['storage', 'objects'],
    ].map(([schema = '', table = '']) => subscribe(intruder.client, { schema, table }));
    await until('each is answered', () => streams.every(({ system }) => system.length > 0));
    assert.deepEqual(new Set(streams.flatMap(({ system }) => system)), new Set(['error']));
  });

  it('a private channel admits nobody without a policy', async () => {
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

  it('an invalid token joins no channel', async () => {
    for (const [what, token] of Object.entries(await invalidTokens(access))) {
      const client = functions.client();
      await client.realtime.setAuth(token);
      const states: string[] = [];
      const channel = client
        .channel('x')
        .on('postgres_changes', { event: '*', schema: 'public', table: 'mashup_jobs' }, () => states.push('changes'))
        .subscribe((state) => states.push(state));
      await until(`${what} is answered`, () => states.length > 0);
      assert.equal(states[0], 'CHANNEL_ERROR', what);
      await client.removeChannel(channel);
    }
  });
});

/** Last, because the intruders get files of their own. */
describe('idempotency keys', () => {
  it('an idempotency key of another user gives no access to that user’s job', async () => {
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
    assert.equal(await submit(owner.client, upload), theirs, 'the owner gets the same job again');
    await functions.machine.sql`delete from public.mashup_jobs where id = ${theirs}`;
  });
});

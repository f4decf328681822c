/** Privileges that change while subscriptions are open apply from the next change on: they are not cached. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { RealtimePostgresChangesPayload } from '@supabase/supabase-js';
import { until } from '../support/until.ts';
import { LOCAL_ONLY, useGateway } from './gateway-fixture.ts';
import type { Client } from './gateway-fixture.ts';

const SETUP = `
  create table public.notes (id int primary key, owner uuid, text text, n int not null default 0);
  grant select on public.notes to anon, authenticated, service_role;
  insert into public.notes (id, text) values (1, 'a note');
  alter publication supabase_realtime add table public.notes;
`;
const fixture = await useGateway({ after }, { setup: SETUP });

type Row = Record<string, unknown>;

async function subscribe(client: Client): Promise<Row[]> {
  const seen: Row[] = [];
  let isReady = false;
  client
    .channel('notes')
    .on('system', {}, ({ status }: { status: string }) => (isReady ||= status === 'ok'))
    .on(
      'postgres_changes',
      { event: '*', schema: 'public', table: 'notes' },
      (payload: RealtimePostgresChangesPayload<Row>) => seen.push(payload.new as Row),
    )
    .subscribe();
  await until('changes are streamed', () => isReady);
  return seen;
}

const visitor = await fixture.visitor();
const seen = await subscribe(visitor.client);
// Delivered last for each change, to a role that sees all rows: when it has a change, so has everybody who may see it.
const all = await subscribe(fixture.client(fixture.keys.serviceRoleKey));
let n = 0;

/** Returns what the visitor receives of a change right after a statement. */
async function receivedAfter(statement: string): Promise<Row[]> {
  await fixture.sql.unsafe(statement);
  n += 1;
  await fixture.sql`update public.notes set n = ${n} where id = 1`;
  await until('the change is delivered', () => all.at(-1)?.['n'] === n);
  return seen.filter((row) => row['n'] === n);
}

describe('privileges that change while a subscription is open', { skip: LOCAL_ONLY }, () => {
  const STEPS: [string, string, boolean][] = [
    ['no change', 'select 1', true],
    ['the grant is revoked', 'revoke select on public.notes from authenticated', false],
    ['the grant is restored', 'grant select on public.notes to authenticated', true],
    ['RLS is enabled without a policy', 'alter table public.notes enable row level security', false],
    [
      'a policy allows all rows',
      'create policy all_may on public.notes for select to authenticated using (true)',
      true,
    ],
    [
      'the policy requires the owner',
      'alter policy all_may on public.notes using (owner = (select auth.uid()))',
      false,
    ],
    ['the user becomes the owner', `update public.notes set owner = '${visitor.id}', n = -1`, true],
    ['the policy raises an error', 'alter policy all_may on public.notes using (1 / (n - n) = 1)', false],
    ['the policy is dropped', 'drop policy all_may on public.notes', false],
    ['RLS is disabled', 'alter table public.notes disable row level security', true],
    ['usage of the schema is revoked', 'revoke usage on schema public from authenticated, public', false],
    ['usage of the schema is restored', 'grant usage on schema public to authenticated', true],
  ];
  for (const [what, statement, isReceived] of STEPS) {
    it(`${what}: the next change is ${isReceived ? '' : 'not '}delivered`, async () => {
      assert.equal((await receivedAfter(statement)).length, isReceived ? 1 : 0);
    });
  }

  it('a column that is no longer readable is missing from the next change', async () => {
    const [before] = await receivedAfter('select 1');
    assert.equal(before?.['text'], 'a note');
    const [row] = await receivedAfter(
      'revoke select on public.notes from authenticated; grant select (id, n) on public.notes to authenticated',
    );
    assert.deepEqual(row, { id: 1, n });
  });
});

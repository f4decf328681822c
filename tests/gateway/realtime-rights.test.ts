/** Rights that change under open subscriptions count from the next change on: nothing of them is remembered. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { RealtimePostgresChangesPayload } from '@supabase/supabase-js';
import { LOCAL_ONLY, until, useGateway } from './gateway-fixture.ts';
import type { Client } from './gateway-fixture.ts';

const SETUP = `
  create table public.notes (id int primary key, owner uuid, text text, n int not null default 0);
  grant select on public.notes to anon, authenticated, service_role;
  insert into public.notes (id, text) values (1, 'a note');
  alter publication supabase_realtime add table public.notes;
`;
const world = await useGateway({ after }, { setup: SETUP });

type Row = Record<string, unknown>;

async function watch(client: Client): Promise<Row[]> {
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
  await until('the changes flow', () => isReady);
  return seen;
}

const visitor = await world.visitor();
const seen = await watch(visitor.client);
// Asked last for each change, by a role that sees all: when it has one, so has everybody who may.
const all = await watch(world.client(world.keys.serviceRoleKey));
let n = 0;

/** What the visitor hears of a change that comes right after this statement. */
async function heardAfter(statement: string): Promise<Row[]> {
  await world.sql.unsafe(statement);
  n += 1;
  await world.sql`update public.notes set n = ${n} where id = 1`;
  await until('the change is out', () => all.at(-1)?.['n'] === n);
  return seen.filter((row) => row['n'] === n);
}

describe('rights that change under a subscription', { skip: LOCAL_ONLY }, () => {
  const STEPS: [string, string, boolean][] = [
    ['nothing yet', 'select 1', true],
    ['the grant is taken away', 'revoke select on public.notes from authenticated', false],
    ['and given again', 'grant select on public.notes to authenticated', true],
    ['RLS is switched on, without a policy', 'alter table public.notes enable row level security', false],
    [
      'a policy lets everybody in',
      'create policy all_may on public.notes for select to authenticated using (true)',
      true,
    ],
    [
      'the policy asks for the owner',
      'alter policy all_may on public.notes using (owner = (select auth.uid()))',
      false,
    ],
    ['the row becomes the visitor’s', `update public.notes set owner = '${visitor.id}', n = -1`, true],
    ['the policy raises', 'alter policy all_may on public.notes using (1 / (n - n) = 1)', false],
    ['the policy is gone', 'drop policy all_may on public.notes', false],
    ['RLS is switched off', 'alter table public.notes disable row level security', true],
    ['the schema is shut', 'revoke usage on schema public from authenticated, public', false],
    ['and open', 'grant usage on schema public to authenticated', true],
  ];
  for (const [what, statement, isHeard] of STEPS) {
    it(`${what}: the next change is ${isHeard ? '' : 'not '}heard`, async () => {
      assert.equal((await heardAfter(statement)).length, isHeard ? 1 : 0);
    });
  }

  it('a column that may not be read any more is left out of the next change', async () => {
    const [before] = await heardAfter('select 1');
    assert.equal(before?.['text'], 'a note');
    const [row] = await heardAfter(
      'revoke select on public.notes from authenticated; grant select (id, n) on public.notes to authenticated',
    );
    assert.deepEqual(row, { id: 1, n });
  });
});

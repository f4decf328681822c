/** Every function of the project, with its rights, settings and callers, against a reviewed list. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { useDatabase } from '../support/postgres.ts';

interface FunctionRow {
  name: string;
  mode: 'definer' | 'invoker';
  config: string[];
  grants: string[];
}

const LIST = join(import.meta.dirname, 'functions.txt');

describe('the functions of schemas mashup and public', async () => {
  const db = await useDatabase({ after });
  const functions = await db.sql<FunctionRow[]>`
    select p.oid::regprocedure::text as name, case when p.prosecdef then 'definer' else 'invoker' end as mode,
      coalesce(p.proconfig, '{}') as config,
      array(select coalesce(r.rolname, 'PUBLIC') from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        left join pg_roles r on r.oid = a.grantee where a.grantee <> p.proowner order by 1) as grants
    from pg_proc p
    where p.pronamespace in ('mashup'::regnamespace, 'public'::regnamespace)
      and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
    order by p.oid::regprocedure::text collate "C"`;

  it('are those of functions.txt, with the same rights: review a difference before you change the list', async () => {
    const lines = functions.map((one) =>
      `${one.name} | ${one.mode} | ${one.config.join(', ')} | ${one.grants.join(', ')}`.trimEnd(),
    );
    const expected = (await readFile(LIST, 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    assert.deepEqual(
      {
        missing: expected.filter((line) => !lines.includes(line)),
        unexpected: lines.filter((line) => !expected.includes(line)),
      },
      { missing: [], unexpected: [] },
    );
  });

  it('set their search path, except the clock, which is inlined and qualifies the name in its body', () => {
    const loose = functions.filter((one) => !one.config.includes('search_path=""'));
    assert.deepEqual(
      loose.map((one) => one.name),
      ['mashup.now()'],
    );
  });

  it('cannot be called by anon or public', () => {
    const open = functions.filter((one) => one.grants.includes('PUBLIC') || one.grants.includes('anon'));
    assert.deepEqual(
      open.map((one) => one.name),
      [],
    );
  });
});

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { REPLAY_STAGES } from '../../schema/stages.ts';
import { useDatabase } from '../support/postgres.ts';

it('the diagram in docs/explanation/architecture.md shows the transitions that the guard reads', async (t) => {
  const { sql } = await useDatabase(t);
  const text = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'explanation', 'architecture.md'), 'utf8');
  const drawn = [...text.matchAll(/^ {2}(\w+) --> (\w+) : (\w+)$/gm)].map((match) => match.slice(1, 4).join(' '));
  const rows =
    await sql`select from_stage, to_stage, name from mashup.transitions where name in ('admit', 'advance', 'replan', 'remake')`;
  assert.deepEqual(drawn.sort(), rows.map((row) => `${row.from_stage} ${row.to_stage} ${row.name}`).sort());
});

it('every live stage can fail and be cancelled, and a replay never goes forward from a live stage', async (t) => {
  const { sql } = await useDatabase(t);
  const [row] = await sql`
    select (select count(*)::int from mashup.transitions where name = 'fail' and made_by = 'engine') as fail,
      (select count(*)::int from mashup.transitions where name = 'cancel' and made_by = 'operator') as cancel,
      (select count(*)::int from mashup.transitions t join mashup.stages f on f.stage = from_stage join mashup.stages s on s.stage = to_stage
        where name = 'replay' and not f.is_terminal and s.position > f.position) as forward,
      (select count(*)::int from mashup.stages where not is_terminal) as live`;
  assert.deepEqual({ ...row }, { fail: row?.live, cancel: row?.live, forward: 0, live: REPLAY_STAGES.length });
});

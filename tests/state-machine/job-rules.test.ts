/** The rules of a row of mashup_jobs: whoever writes it, a row that breaks one is refused, and the error names the rule. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { useMachine } from './state-machine-fixture.ts';

const m = await useMachine({ after });
const id = await m.submit(await m.user());

/** What is written to a running job, by the rule that it breaks. */
const BREACHES: Record<string, string> = {
  complete_has_a_result: `stage = 'complete', status = 'complete', admitted_at = null`,
  playable_while_rendering: `playable = '{}'`,
  row_is_slim: `options = jsonb_build_object('x', repeat('x', 900))`,
  waiting_on_is_known: `waiting_on = 'rain'`,
  hold_is_known: `hold = 'rendering'`,
  progress_is_per_cent: `progress = 101`,
  one_to_three_songs: `songs = '[]'`,
  warnings_are_a_list: `warnings = '{}'`,
  texts_are_short: `title = repeat('x', 201)`,
  traceparent_is_valid: `traceparent = '00'`,
  only_live_jobs_hold_a_slot: `stage = 'cancelled', status = 'cancelled'`,
  status_follows_stage: `status = 'complete'`,
  failed_has_an_error: `error_code = 'x'`,
};

describe('a row of mashup_jobs is refused', () => {
  for (const [rule, assignments] of Object.entries(BREACHES)) {
    it(`if it breaks ${rule}`, async () => {
      const change = m.sql.begin(async (tx) => {
        // Without the triggers, which refuse some of these before the rules do.
        await tx`alter table public.mashup_jobs disable trigger user`;
        await tx.unsafe(`update public.mashup_jobs set ${assignments} where id = '${id}'`);
      });
      await assert.rejects(change, { code: '23514', constraint_name: rule, table_name: 'mashup_jobs' });
    });
  }

  it('by no rule as it is', async () => {
    await m.sql`update public.mashup_jobs set title = repeat('x', 200) where id = ${id}`;
  });
});

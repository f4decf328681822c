/** Grants on the schema of the queue, made by migrations and by every worker that finds them missing. */
import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import postgres from 'postgres';
import { useMachine } from './state-machine-fixture.ts';

const CALLERS = 4;
const CALLS = 15;

it('concurrent grants on the schema of the queue wait for each other', async (t) => {
  const m = await useMachine({ after });
  const sql = postgres(m.url, { max: CALLERS, onnotice: () => {} });
  t.after(() => sql.end());
  const results = await Promise.allSettled(
    Array.from({ length: CALLERS * CALLS }, () => sql`select mashup.grant_queue()`),
  );
  const reasons = results.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
  assert.deepEqual(reasons, []);
});

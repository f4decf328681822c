import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { TransactionSql } from 'postgres';
import { useMachine } from '../state-machine/state-machine-fixture.ts';

const m = await useMachine({ after });
const worker = await m.worker();

/** Sqlstate of a refusal, or ok. */
async function said(user: string, call: (tx: TransactionSql) => Promise<unknown>): Promise<string> {
  return m.as(user, call).then(
    () => 'ok',
    (error: { code?: string }) => error.code ?? String(error),
  );
}

describe('runs that one user may ask for in a minute', () => {
  it('are counted although their jobs were deleted', async () => {
    await m.sql`update mashup.settings set value = '3' where name = 'max_submits_per_minute'`;
    const user = await m.user();
    for (let n = 0; n < 3; n++) {
      const id = await m.submit(user);
      assert.equal(await said(user, (tx) => tx`select public.delete_mashup(${id})`), 'ok');
    }
    await assert.rejects(m.submit(user), { code: 'MB012' });
    await m.submit(await m.user());
    await m.moveClock(61);
    await m.submit(user);
    await m.moveClock(0);
  });

  it('are counted for replays and retries as well, which make no job', async () => {
    await m.sql`update mashup.settings set value = '4' where name = 'max_submits_per_minute'`;
    const user = await m.user();
    const id = await m.submit(user);
    await m.run(worker);
    const replay = (): Promise<string> => said(user, (tx) => tx`select public.replay_mashup(${id}, 'planning')`);
    assert.deepEqual([await replay(), await replay(), await replay(), await replay()], ['ok', 'ok', 'ok', 'MB012']);
    await m.sql`select mashup.cancel(${id})`;
    assert.equal(await said(user, (tx) => tx`select public.retry_mashup(${id})`), 'MB012');
  });
});

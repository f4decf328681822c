import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { TransactionSql } from 'postgres';
import { useMachine } from '../state-machine/state-machine-fixture.ts';

const machine = await useMachine({ after });
const worker = await machine.worker();

/** The SQLSTATE of a refusal, or `ok`. */
async function outcomeOf(user: string, call: (tx: TransactionSql) => Promise<unknown>): Promise<string> {
  return machine.as(user, call).then(
    () => 'ok',
    (error: { code?: string }) => error.code ?? String(error),
  );
}

describe('the limit of runs per user and minute', () => {
  it('counts jobs that were deleted', async () => {
    await machine.sql`update mashup.settings set value = '3' where name = 'max_submits_per_minute'`;
    const user = await machine.user();
    for (let n = 0; n < 3; n++) {
      const id = await machine.submit(user);
      assert.equal(await outcomeOf(user, (tx) => tx`select public.delete_mashup(${id})`), 'ok');
    }
    await assert.rejects(machine.submit(user), { code: 'MB012' });
    await machine.submit(await machine.user());
    await machine.moveClock(61);
    await machine.submit(user);
    await machine.moveClock(0);
  });

  it('counts replays and retries, which make no new job', async () => {
    await machine.sql`update mashup.settings set value = '4' where name = 'max_submits_per_minute'`;
    const user = await machine.user();
    const id = await machine.submit(user);
    await machine.run(worker);
    const replay = (): Promise<string> => outcomeOf(user, (tx) => tx`select public.replay_mashup(${id}, 'planning')`);
    assert.deepEqual([await replay(), await replay(), await replay(), await replay()], ['ok', 'ok', 'ok', 'MB012']);
    await machine.sql`select mashup.cancel(${id})`;
    assert.equal(await outcomeOf(user, (tx) => tx`select public.retry_mashup(${id})`), 'MB012');
  });
});

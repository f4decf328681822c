/** Helpers of the tests of faults that the model test found. */
import assert from 'node:assert/strict';
import type { ClaimedTask, Machine } from '../state-machine/state-machine-fixture.ts';

/** State and probe of a service's circuit. */
export async function health(m: Machine, service: string) {
  const [row] = await m.sql`select state, probe_task, opens from mashup.service_health where service = ${service}`;
  return { state: row?.state, probe: row?.probe_task };
}

/** Opens a service's circuit so long ago that a probe is due, and schedules. */
export async function openCircuit(m: Machine, service: string): Promise<void> {
  await m.sql`update mashup.service_health set state = 'open', failures = 5, opens = 1, opened_at = mashup.now() - interval '1 hour',
    retry_at = mashup.now() - interval '1 second' where service = ${service}`;
}

/** Claims a ready task of a kind. @throws Error if there is none */
export async function claimKind(m: Machine, worker: string, kind: string, jobId?: string): Promise<ClaimedTask> {
  for (const task of await m.ready(jobId)) {
    if (task.kind !== kind) continue;
    const result = await m.claim(worker, task);
    assert.equal(result.status, 'claimed');
    if (result.status === 'claimed') return result;
  }
  throw new Error(`no ready ${kind} task`);
}

/** Finishes every ready task except those of one kind. */
export async function runAllBut(m: Machine, worker: string, kind: string, jobId: string): Promise<void> {
  for (;;) {
    const task = (await m.ready(jobId)).find((ready) => ready.kind !== kind);
    if (!task) return;
    const result = await m.claim(worker, task);
    if (result.status !== 'claimed') return;
    await m.finish(result);
  }
}

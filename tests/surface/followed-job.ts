/** A job followed through the client, with all that the follower was told, and a worker that drives it. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { followJob } from '@mashup-engine/client';
import type { JobFollower } from '@mashup-engine/client';
import type { Surface, Visitor } from '../functions/functions-fixture.ts';

export interface Watched {
  follower: JobFollower;
  versions: number[];
  stages: string[];
  live: boolean[];
}

/** Follows without a slow read: what is heard is heard by the stream or by a snapshot after a gap. */
export function watch(t: TestContext, visitor: Visitor, id: string): Watched {
  const heard = { versions: [] as number[], stages: [] as string[], live: [] as boolean[] };
  const follower = followJob(visitor.client, id, {
    safetyReadMs: 600_000,
    onChange: (job) => {
      heard.versions.push(job.version);
      if (heard.stages.at(-1) !== job.stage) heard.stages.push(job.stage);
    },
    onLive: (isLive) => heard.live.push(isLive),
  });
  t.after(() => follower.stop());
  return { follower, ...heard };
}

/** A job of the visitor; at the end of the test it gives back what it holds. */
export async function submit({ machine }: Surface, t: TestContext, visitor: Visitor): Promise<string> {
  const id = await machine.submit(visitor.id);
  t.after(
    () => machine.sql`select mashup.cancel(id) from public.mashup_jobs where id = ${id} and status = 'processing'`,
  );
  return id;
}

export const isLive = ({ live }: Watched) => live.at(-1) === true;

/** Does one task of the job after the other; what the connection's end interrupts is done again. */
export async function workOn({ machine }: Surface, worker: string, id: string, steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) {
    const task = await machine.claimNext(worker, id);
    if (task === undefined) return;
    await machine.finish(task);
  }
}

export async function assertWhole({ machine }: Surface, watched: Watched, id: string): Promise<void> {
  const last = await watched.follower.finished;
  const { version } = await machine.job(id);
  assert.equal(last?.stage, 'complete');
  assert.equal(last.version, version, 'the last state is the row');
  for (const [at, heard] of watched.versions.entries())
    assert.ok(
      at === 0 || heard > (watched.versions[at - 1] ?? 0),
      `version ${heard} after ${watched.versions[at - 1]}`,
    );
}

/** A job that a test follows through the client, with everything that the follower received, and a worker for it. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { followJob } from '@mashup-engine/client';
import type { JobFollower } from '@mashup-engine/client';
import type { FunctionsFixture, Visitor } from '../functions/functions-fixture.ts';

/** What a follower has received. */
export interface FollowedJob {
  follower: JobFollower;
  versions: number[];
  stages: string[];
  live: boolean[];
}

/** Follows a job without periodic reads: updates come from the stream, or from a snapshot after a gap. */
export function follow(t: TestContext, visitor: Visitor, id: string): FollowedJob {
  const received = { versions: [] as number[], stages: [] as string[], live: [] as boolean[] };
  const follower = followJob(visitor.client, id, {
    safetyReadMs: 600_000,
    onChange: (job) => {
      received.versions.push(job.version);
      if (received.stages.at(-1) !== job.stage) received.stages.push(job.stage);
    },
    onLive: (isLive) => received.live.push(isLive),
  });
  t.after(() => follower.stop());
  return { follower, ...received };
}

/** Submits a job of the visitor. It is cancelled at the end of the test. */
export async function submit({ machine }: FunctionsFixture, t: TestContext, visitor: Visitor): Promise<string> {
  const id = await machine.submit(visitor.id);
  t.after(
    () => machine.sql`select mashup.cancel(id) from public.mashup_jobs where id = ${id} and status = 'processing'`,
  );
  return id;
}

/** Tests whether the follower has reported a live stream. */
export const isLive = ({ live }: FollowedJob) => live.at(-1) === true;

/** Works on the tasks of a job, one after the other, at most `steps` of them. */
export async function workOn({ machine }: FunctionsFixture, worker: string, id: string, steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) {
    const task = await machine.claimNext(worker, id);
    if (task === undefined) return;
    await machine.finish(task);
  }
}

/** Waits for the end of a complete job and checks that the versions were in order and the last one is the row's. */
export async function assertComplete({ machine }: FunctionsFixture, followed: FollowedJob, id: string): Promise<void> {
  const last = await followed.follower.finished;
  const { version } = await machine.job(id);
  assert.equal(last?.stage, 'complete');
  assert.equal(last.version, version, 'the last state is that of the row');
  for (const [at, received] of followed.versions.entries())
    assert.ok(
      at === 0 || received > (followed.versions[at - 1] ?? 0),
      `version ${received} after ${followed.versions[at - 1]}`,
    );
}

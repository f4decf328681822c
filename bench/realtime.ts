/**
 * How soon a change is at its watchers: live jobs, each followed by several clients through client/followJob and the local
 * gateway, all sockets in one process.
 *
 * Measured to `onChange` from when Postgres' answer to the update is here, which comes right after the commit; where the change
 * is faster than that answer, it counts as 0. Local: hosted Realtime is another program on another machine. Clients, gateway
 * and the writer share one process here, and the machine's cores.
 */
import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import { followJob } from '@mashup-engine/client';
import type { JobFollower } from '@mashup-engine/client';
import { percentile, printTable } from './table.ts';
import { startWorld } from './bench-fixture.ts';

const JOBS = 20;
const FOLLOWERS_PER_JOB = 5;
/** Changes a second, all jobs together: each job moves once a second, as the default of progress_min_interval_sec has it. */
const CHANGES_PER_SEC = 20;
const CHANGES = 400;

export interface RealtimeResult {
  followers: number;
  live_jobs: number;
  changes_per_sec: number;
  callbacks: number;
  missed: number;
  p50_ms: number;
  p99_ms: number;
  max_ms: number;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > end)
      throw new Error('The streams were not ready, or changes did not arrive, for a minute.');
    await pause(20);
  }
}

export async function benchRealtime(): Promise<RealtimeResult> {
  const world = await startWorld();
  const clients: SupabaseClient[] = [];
  const followers: JobFollower[] = [];
  try {
    const committedAt = new Map<string, number>();
    const taken: { step: string; at: number }[] = [];
    const jobs: string[] = [];
    let ready = 0;
    for (let n = 0; n < JOBS; n++) {
      const uploader = await world.uploader();
      const first = createClient(world.gateway.url, world.gateway.anonKey, {
        auth: { persistSession: false, autoRefreshToken: false },
      });
      const { data, error } = await first.auth.signInAnonymously();
      if (error || !data.session) throw error ?? new Error('no session');
      const userId = data.session.user.id;
      await world.sql`update storage.objects set owner_id = ${userId} where owner_id = ${uploader.userId}`;
      const id = await world.submit({ userId, songs: uploader.songs });
      jobs.push(id);
      for (let k = 0; k < FOLLOWERS_PER_JOB; k++) {
        // A client each: a socket of its own, as every browser has one.
        const client =
          k === 0
            ? first
            : createClient(world.gateway.url, world.gateway.anonKey, {
                auth: { persistSession: false, autoRefreshToken: false },
              });
        if (k > 0) await client.auth.setSession(data.session);
        clients.push(client);
        followers.push(
          followJob(client, id, {
            safetyReadMs: 600_000,
            onLive: (isLive) => (ready += isLive ? 1 : -1),
            onChange: (job) => {
              if (committedAt.has(job.current_step)) taken.push({ step: job.current_step, at: performance.now() });
            },
          }),
        );
      }
    }
    await until(() => ready === JOBS * FOLLOWERS_PER_JOB);

    const start = performance.now();
    for (let n = 0; n < CHANGES; n++) {
      await pause(start + (n * 1000) / CHANGES_PER_SEC - performance.now());
      const step = `change ${n}`;
      committedAt.set(step, Number.NaN);
      await world.sql`update public.mashup_jobs set current_step = ${step}, version = version + 1 where id = ${jobs[n % JOBS] ?? ''}`;
      committedAt.set(step, performance.now());
    }
    const expected = CHANGES * FOLLOWERS_PER_JOB;
    await until(() => taken.length >= expected);
    const waits = taken.map(({ step, at }) => Math.max(0, at - (committedAt.get(step) ?? 0)));
    const result: RealtimeResult = {
      followers: followers.length,
      live_jobs: JOBS,
      changes_per_sec: CHANGES_PER_SEC,
      callbacks: taken.length,
      missed: expected - taken.length,
      p50_ms: percentile(waits, 0.5),
      p99_ms: percentile(waits, 0.99),
      max_ms: Math.max(...waits),
    };
    printTable('Commit to callback, through the local gateway', [{ ...result }]);
    return result;
  } finally {
    for (const follower of followers) follower.stop();
    await Promise.all(clients.map((client) => client.removeAllChannels()));
    await world.close();
  }
}

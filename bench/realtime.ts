/**
 * Latency of a change at its followers: live jobs, each followed by several clients through `followJob` and the local gateway,
 * with all sockets in one process.
 *
 * Measured from the arrival of Postgres' response to the update, just after the commit, to `onChange`; a change that is faster
 * than the response counts as 0. Clients and writer share one process, and all processes share the machine's cores. This says
 * nothing about hosted Realtime.
 */
import { createClient } from '@supabase/supabase-js';
import type { SupabaseClient } from '@supabase/supabase-js';
import { followJob } from '@mashup-engine/client';
import type { JobFollower } from '@mashup-engine/client';
import { percentile, printTable } from './table.ts';
import { startBenchFixture } from './bench-fixture.ts';
import type { BenchFixture } from './bench-fixture.ts';

const JOBS = 20;
const FOLLOWERS_PER_JOB = 5;
/** Changes per second of all jobs together: one per job, the default of `progress_min_interval_sec`. */
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

/** A change as a follower received it, with the time of arrival. */
interface Arrival {
  step: string;
  at: number;
}

interface Audience {
  clients: SupabaseClient[];
  followers: JobFollower[];
  /** Number of followers whose stream is ready. */
  ready: number;
  arrivals: Arrival[];
  /** When each change was committed; NaN while its update runs. */
  committedAt: Map<string, number>;
}

/** A client of its own, and therefore a socket of its own, as every browser has. */
function openClient({ gateway }: BenchFixture, audience: Audience): SupabaseClient {
  const client = createClient(gateway.url, gateway.anonKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  audience.clients.push(client);
  return client;
}

function follow(client: SupabaseClient, jobId: string, audience: Audience): void {
  const { arrivals, committedAt, followers } = audience;
  followers.push(
    followJob(client, jobId, {
      safetyReadMs: 600_000,
      onLive: (isLive) => (audience.ready += isLive ? 1 : -1),
      onChange: ({ currentStep: step }) => {
        if (committedAt.has(step)) arrivals.push({ step, at: performance.now() });
      },
    }),
  );
}

/** Submits a job of a new user and follows it with several clients. Returns its id. */
async function addFollowedJob(fixture: BenchFixture, audience: Audience): Promise<string> {
  const uploader = await fixture.uploader();
  const first = openClient(fixture, audience);
  const { data, error } = await first.auth.signInAnonymously();
  if (error || !data.session) throw error ?? new Error('no session');
  const userId = data.session.user.id;
  await fixture.sql`update storage.objects set owner_id = ${userId} where owner_id = ${uploader.userId}`;
  const id = await fixture.submit({ userId, songs: uploader.songs });
  follow(first, id, audience);
  for (let n = 1; n < FOLLOWERS_PER_JOB; n++) {
    const client = openClient(fixture, audience);
    await client.auth.setSession(data.session);
    follow(client, id, audience);
  }
  return id;
}

/** Changes the jobs in turn at a constant rate. */
async function makeChanges({ sql }: BenchFixture, jobs: string[], { committedAt }: Audience): Promise<void> {
  const start = performance.now();
  for (let n = 0; n < CHANGES; n++) {
    await pause(start + (n * 1000) / CHANGES_PER_SEC - performance.now());
    const step = `change ${n}`;
    committedAt.set(step, Number.NaN);
    await sql`update public.mashup_jobs set current_step = ${step}, version = version + 1 where id = ${jobs[n % JOBS] ?? ''}`;
    committedAt.set(step, performance.now());
  }
}

function resultOf({ followers, arrivals, committedAt }: Audience, expected: number): RealtimeResult {
  const latencies = arrivals.map(({ step, at }) => Math.max(0, at - (committedAt.get(step) ?? 0)));
  return {
    followers: followers.length,
    live_jobs: JOBS,
    changes_per_sec: CHANGES_PER_SEC,
    callbacks: arrivals.length,
    missed: expected - arrivals.length,
    p50_ms: percentile(latencies, 0.5),
    p99_ms: percentile(latencies, 0.99),
    max_ms: Math.max(...latencies),
  };
}

/** Measures and prints the latency of changes. */
export async function benchRealtime(): Promise<RealtimeResult> {
  const fixture = await startBenchFixture();
  const audience: Audience = { clients: [], followers: [], ready: 0, arrivals: [], committedAt: new Map() };
  try {
    const jobs: string[] = [];
    for (let n = 0; n < JOBS; n++) jobs.push(await addFollowedJob(fixture, audience));
    await until(() => audience.ready === JOBS * FOLLOWERS_PER_JOB);
    await makeChanges(fixture, jobs, audience);
    const expected = CHANGES * FOLLOWERS_PER_JOB;
    await until(() => audience.arrivals.length >= expected);
    const result = resultOf(audience, expected);
    printTable('Commit to callback, through the local gateway', [{ ...result }]);
    return result;
  } finally {
    for (const follower of audience.followers) follower.stop();
    await Promise.all(audience.clients.map((client) => client.removeAllChannels()));
    await fixture.close();
  }
}

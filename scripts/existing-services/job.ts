/** Takes a job through a worker whose services are partly existing ones. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { createClient } from '@supabase/supabase-js';
import { submitMashup, uploadSong } from '@mashup-engine/client';
import type { SubmittedSong } from '@mashup-engine/client';
import type postgres from 'postgres';
import type { Stack } from '../../local/index.ts';
import type { ServiceName } from '../../schema.ts';
import { runWorker } from '../../worker/run.ts';

const JOB_TIMEOUT_MS = 1_800_000;
const POLL_MS = 500;

/** What became of a job. */
export interface JobOutcome {
  stage: string;
  /** Why it failed. */
  error: string | null;
  warnings: string[];
  /** Seconds of the tasks of each service. */
  seconds: Partial<Record<ServiceName, number>>;
  /** Services whose result the job used. */
  used: ServiceName[];
}

interface TaskRow {
  service: ServiceName;
  seconds: number;
}

/** Runs a job of two songs, as a new user, with a worker on the given services. */
export async function runJob(
  { info }: Stack,
  sql: postgres.Sql,
  serviceUrls: Record<ServiceName, string>,
  songs: readonly string[],
): Promise<JobOutcome> {
  const supabase = createClient(info.apiUrl, info.anonKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const { error } = await supabase.auth.signInAnonymously();
  if (error) throw error;
  const submitted: SubmittedSong[] = [];
  for (const path of songs) {
    const body = new Blob([await readFile(path)], { type: 'audio/mpeg' });
    submitted.push(await uploadSong(supabase, { fileName: basename(path), artist: 'Test', body }));
  }
  const worker = await runWorker({
    databaseUrl: info.workerDbUrl,
    supabaseUrl: info.apiUrl,
    serviceRoleKey: info.serviceRoleKey,
    serviceUrls,
    write: () => {},
  });
  try {
    const { jobId } = await submitMashup(supabase, submitted);
    await untilEnded(sql, jobId);
    return await describeJob(sql, jobId);
  } finally {
    await worker.stop();
  }
}

async function untilEnded(sql: postgres.Sql, jobId: string): Promise<void> {
  const end = performance.now() + JOB_TIMEOUT_MS;
  for (;;) {
    const [job] = await sql`select status from public.mashup_jobs where id = ${jobId}`;
    if (job?.['status'] !== 'processing') return;
    if (performance.now() > end) await sql`select mashup.cancel(${jobId})`;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function describeJob(sql: postgres.Sql, jobId: string): Promise<JobOutcome> {
  const [job] = await sql<{ stage: string; error_message: string | null; warnings: { message: string }[] }[]>`
    select stage, error_message, warnings from public.mashup_jobs where id = ${jobId}`;
  const tasks = await sql<TaskRow[]>`
    select k.service, sum(extract(epoch from t.finished_at - t.started_at))::float as seconds
    from mashup.tasks t join mashup.task_kinds k using (kind)
    where t.job_id = ${jobId} and t.state = 'done' group by k.service`;
  const [facts] = await sql<Record<ServiceName, boolean>[]>`
    select
      exists (select from jsonb_array_elements(j.songs) s where s ? 'analysis_id') as analysis,
      exists (select from mashup.scores s where s.job_id = j.id and s.pairs -> 0 ->> 'source' = 'service') as scoring,
      exists (select from public.mashup_plans p where p.job_id = j.id and p.source = 'claude') as orchestrator,
      exists (select from jsonb_array_elements(j.songs) s where s ? 'stems_id') as separation,
      j.result_path is not null as processing
    from public.mashup_jobs j where j.id = ${jobId}`;
  const used = Object.entries(facts ?? {}).filter(([, isUsed]) => isUsed);
  return {
    stage: job?.stage ?? 'missing',
    error: job?.error_message ?? null,
    warnings: (job?.warnings ?? []).map(({ message }) => message),
    seconds: Object.fromEntries(tasks.map(({ service, seconds }) => [service, Math.round(seconds * 10) / 10])),
    used: used.map(([service]) => service as ServiceName),
  };
}

/** A worker in SQL and a separation service with models: it separates whole songs, and looks into the cache as a worker does. */
import { type ClaimedTask, type Machine, resultOf } from './state-machine-fixture.ts';

export const CLASSICAL = 'dsp-4';
export const NEURAL = 'htdemucs-da9e5101';

/** What a service separates with, by the method that it is asked for. */
export type Separator = (method: string) => { model: string; warnings?: { code: string; message: string }[] };

/** A service with both methods, which uses its model by default. */
export const both: Separator = (method) => ({ model: method === 'classical' ? CLASSICAL : NEURAL });

/** Notes the models of the service, as a worker does. */
export async function setModels(m: Machine, neural: string | null, used = neural ?? CLASSICAL): Promise<void> {
  await m.sql`select mashup.report_separation_models(${CLASSICAL}, ${neural}, ${used})`;
}

/** Returns the result of a task, made from what the row and the cache have. */
export async function resultBy(m: Machine, task: ClaimedTask, separator: Separator = both): Promise<object> {
  const result = resultOf(task) as Record<string, unknown>;
  if (task.kind === 'analyze') {
    // Equal names are equal songs.
    const song = task.songs.find(({ song_id: id }) => id === task.song_id)!;
    return { ...result, content_hash: `${task.user_id} ${song.name}` };
  }
  if (task.kind === 'separate') {
    const { method, models } = task.separation!;
    const [cached] = await m.sql<{ id: string }[]>`
      select st.id from mashup.stems st join public.mashup_jobs j on j.user_id = st.user_id, jsonb_array_elements(j.songs) s
      where j.id = ${task.job_id} and s ->> 'song_id' = ${task.song_id} and st.content_hash = s ->> 'hash'
        and (${models === null} or mashup.separator_of(st.model) = any (${(models ?? []).filter((model) => model !== null)})) limit 1`;
    if (cached) return { stems_id: cached.id, from_cache: true };
    const made = separator(method);
    return {
      ...result,
      ...made,
      method: made.model.startsWith('own') ? 'own' : made.model === CLASSICAL ? 'classical' : 'neural',
    };
  }
  if (task.kind !== 'render') return result;
  const [row] = await m.sql<{ separation: object }[]>`
    select jsonb_object_agg(s ->> 'song_id', jsonb_build_object('model', st.model, 'method', st.method)) as separation
    from public.mashup_jobs j, jsonb_array_elements(j.songs) s join mashup.stems st on st.id = (s ->> 'stems_id')::bigint
    where j.id = ${task.job_id}`;
  return { ...result, separation: row!.separation };
}

/** Runs the tasks of a job until none is ready, or one that `stop` accepts, which is returned unfinished. */
export async function runJob(
  m: Machine,
  worker: string,
  id: string,
  options: { separator?: Separator; stop?: (task: ClaimedTask) => boolean } = {},
): Promise<{ done: string[]; stopped: ClaimedTask | undefined }> {
  const done: string[] = [];
  for (;;) {
    let task = await m.claimNext(worker, id);
    if (!task) {
      // Tasks of studio versions are dispatched by the sweep. The places of aborted calls are free at once.
      await m.sql`update mashup.places set held_until = null where held_until is not null`;
      await m.sweep();
      task = await m.claimNext(worker, id);
    }
    if (!task) return { done, stopped: undefined };
    if (options.stop?.(task)) return { done, stopped: task };
    done.push(task.is_studio ? `studio ${task.kind}` : task.kind);
    const status = await m.finish(task, await resultBy(m, task, options.separator));
    if (status !== 'finished') throw new Error(`the ${task.kind} task was ${status}`);
  }
}

/** The methods that separated the songs of the current result. */
export async function methodsOf(m: Machine, id: string): Promise<string[]> {
  const { result } = await m.job(id);
  return Object.values(result?.separation ?? {}).map(({ method }) => method);
}

/** The invariants: queries in files that must return no row. */
import { glob, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type postgres from 'postgres';

const HERE = import.meta.dirname;

/**
 * Installs the invariants in a database as function `model.check(scheduled, reconciled)`, which returns one text for each
 * broken one. Those in scheduled/ hold only after scheduling, those in reconciled/ only after reconciliation as well.
 */
export async function installChecks(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(await readFile(join(HERE, 'invariants', 'seen.sql'), 'utf8'));
  await sql.unsafe(await checkFunction());
}

async function checkFunction(): Promise<string> {
  const files: string[] = [];
  for await (const file of glob('invariants/*/*.sql', { cwd: HERE })) files.push(file);
  const parts = await Promise.all(
    files.sort().map(async (file) => {
      const query = await readFile(join(HERE, file), 'utf8');
      const name = basename(file, '.sql');
      const collect = `v_broken := v_broken || array(select '${name}: ' || found.violation from (\n${query}) found (violation));`;
      const folder = basename(dirname(file));
      return folder === 'always' ? collect : `if p_${folder} then\n${collect}\nend if;`;
    }),
  );
  return `
    create function model.check(p_scheduled boolean, p_reconciled boolean) returns text[]
      language plpgsql set plan_cache_mode = force_generic_plan as $check$
    declare
      v_broken text[] := '{}';
    begin
      ${parts.join('\n')}
      delete from model.seen s where not exists (select from public.mashup_jobs j where j.id = s.job_id);
      insert into model.seen (job_id, epoch, version, progress, digest, events, last_event)
        select j.id, j.epoch, j.version, j.progress, md5(j::text), e.n, e.last from public.mashup_jobs j
        cross join lateral (select count(*) as n, max(id) as last from public.mashup_job_events where job_id = j.id) e
        on conflict (job_id) do update set epoch = excluded.epoch, version = excluded.version, progress = excluded.progress,
          digest = excluded.digest, events = excluded.events, last_event = excluded.last_event;
      return v_broken;
    end
    $check$;`;
}

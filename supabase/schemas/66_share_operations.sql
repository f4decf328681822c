-- Public links of mashups, for operators.

create function mashup.end_share(p_job public.mashup_jobs, p_reason text default null) returns boolean
  language plpgsql set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
begin
  if p_reason is null then
    -- One revoked link is kept.
    delete from public.mashup_shares s where s.job_id = p_job.id and s.revoked_at is not null
      and exists (select from public.mashup_shares l where l.job_id = p_job.id and l.revoked_at is null and l.taken_down_at is null);
    update public.mashup_shares s set revoked_at = mashup.now(), actor = mashup.actor()
      where s.job_id = p_job.id and s.revoked_at is null and s.taken_down_at is null;
  else
    update public.mashup_shares s set taken_down_at = mashup.now(), reason = p_reason, actor = mashup.actor()
      where s.job_id = p_job.id and s.revoked_at is null and s.taken_down_at is null;
  end if;
  if not found then
    return false;
  end if;
  update public.mashup_jobs j set shared_at = null where j.id = p_job.id returning * into v_job;
  perform mashup.log_event(v_job, 'share', case when p_reason is null then 'The public link was revoked' else 'The public link was taken down: ' || p_reason end);
  return true;
end
$$;
comment on function mashup.end_share(public.mashup_jobs, text) is
  'Ends the live public link of a job: revoked by its owner, or with p_reason taken down by an operator. Returns false if there is none. Lock order: job row held by the caller, its links.';

create function mashup.job_of_share(p_share text) returns uuid
  language plpgsql stable set search_path = ''
  as $$
declare
  -- A link ends in its token.
  v_name text := substring(trim(p_share) from '([A-Za-z0-9_-]+)/*([?#].*)?$');
  v_job_id uuid;
begin
  if v_name ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    return v_name::uuid;
  end if;
  select s.job_id into v_job_id from public.mashup_shares s where s.token = v_name;
  if v_job_id is null then
    perform mashup.raise_error('MB002', 'There is no such public link.', 'Give the link, its token, or the id of the job.');
  end if;
  return v_job_id;
end
$$;
comment on function mashup.job_of_share(text) is 'Returns the job of a public link, of its token, or of the id of the job. Raises MB002 for a token without a job.';

create function mashup.take_down_share(p_share text, p_reason text) returns public.mashup_jobs
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs := mashup.require_job(mashup.job_of_share(p_share));
  v_reason text := trim(p_reason);
begin
  if coalesce(length(v_reason), 0) not between 1 and 300 then
    perform mashup.raise_error('MB006', 'A take-down needs a reason of up to 300 characters, which the user reads.', 'Give the reason.');
  end if;
  if not mashup.end_share(v_job, v_reason) then
    perform mashup.raise_error('MB006', format('Mashup %s has no public link.', v_job.id), 'Nothing has to be done.');
  end if;
  return mashup.require_job(v_job.id);
end
$$;
comment on function mashup.take_down_share(text, text) is
  'Takes the public link of a mashup down, and keeps the mashup from being shared until that is lifted. p_share: the link, its token, or the id of the job. The mashup stays; its user reads the reason. Returns the job. Lock order: job row, its links. Raises MB002, MB006.';

create function mashup.lift_share_take_down(p_share text) returns public.mashup_jobs
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs := mashup.require_job(mashup.job_of_share(p_share));
begin
  if v_job.takedown_reason is not null then
    perform mashup.raise_error('MB015', format('Mashup %s itself was taken down: %s', v_job.id, v_job.takedown_reason), 'Lift the take-down of the mashup.');
  end if;
  delete from public.mashup_shares s where s.job_id = v_job.id and s.taken_down_at is not null;
  if not found then
    perform mashup.raise_error('MB006', format('No public link of mashup %s was taken down.', v_job.id), 'Nothing has to be done.');
  end if;
  -- Its owner's page reads the link again when the row changes.
  update public.mashup_jobs j set updated_at = mashup.now() where j.id = v_job.id returning * into v_job;
  perform mashup.log_event(v_job, 'share', 'The mashup may be shared again');
  return v_job;
end
$$;
comment on function mashup.lift_share_take_down(text) is
  'Lets a mashup be shared again whose public link was taken down; the next link is a new one. p_share as in take_down_share. Returns the job. Lock order: job row, its links. Raises MB002, MB006, MB015.';

revoke execute on all functions in schema mashup from public;

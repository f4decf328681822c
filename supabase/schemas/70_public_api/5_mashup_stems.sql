-- A user asks for the stems of a finished mashup.

create function public.request_mashup_stems(job_id uuid) returns jsonb
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
  v_stems jsonb;
begin
  perform mashup.count_request(mashup.caller(), 'stems', 'max_submits_per_minute', 'That was many requests for stems in one minute.');
  v_job := mashup.require_own_job(request_mashup_stems.job_id);
  if v_job.takedown_reason is not null then
    perform mashup.raise_error('MB015', format('Mashup %s was taken down: %s', v_job.id, v_job.takedown_reason), 'Contact the operator.');
  end if;
  if v_job.stage <> 'complete' or v_job.result_path is null then
    perform mashup.raise_error('MB003', 'This mashup has no file, and so no stems.',
      mashup.hint_without_file(v_job));
  end if;
  select r.stems into v_stems from public.mashup_results r where r.job_id = v_job.id and r.path = v_job.result_path;
  if v_stems ->> 'state' in ('pending', 'ready') then
    return v_stems;
  end if;
  v_stems := mashup.begin_mashup_stems(v_job);
  perform mashup.log_event(v_job, 'task', 'The stems of the mashup were asked for');
  return v_stems;
end
$$;
comment on function public.request_mashup_stems(uuid) is
  'Asks for the stems of a complete mashup of the caller, unless they are there or being made. The row of the job tells the progress (result.stems), the row of the result the files (mashup_results.stems). Returns MashupStems. Lock order: the user''s counter, job, tasks. Raises MB002, MB003, MB010, MB012, MB015.';
revoke execute on function public.request_mashup_stems(uuid) from public, anon, authenticated, service_role;
grant execute on function public.request_mashup_stems(uuid) to authenticated;

revoke execute on all functions in schema mashup from public;

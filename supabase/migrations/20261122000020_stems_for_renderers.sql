-- Stems of a job's songs, for a renderer outside that asks the stem-separation function.

-- The job's owner, or the service role (a renderer with the service key). Nobody else's job exists.
create function public.get_mashup_stems(job_id uuid) returns jsonb
  language plpgsql stable security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
  v_is_service boolean := coalesce(auth.jwt() ->> 'role' = 'service_role', false);
  v_user uuid;
begin
  if not v_is_service then
    v_user := mashup.caller();
  end if;
  select * into v_job from public.mashup_jobs j
    where j.id = get_mashup_stems.job_id and (v_is_service or j.user_id = v_user);
  if not found then
    perform mashup.raise_error('MB002', format('There is no mashup %s.', get_mashup_stems.job_id), 'Open one of your own mashups.');
  end if;
  return (
    select jsonb_agg(jsonb_build_object('song_id', s.song -> 'song_id', 'path', s.song -> 'path', 'paths', c.paths) order by s.n)
    from jsonb_array_elements(v_job.songs) with ordinality s (song, n)
    left join mashup.stems c on c.id = (s.song ->> 'stems_id')::bigint and c.user_id = v_job.user_id
  );
end
$$;
comment on function public.get_mashup_stems(uuid) is 'Songs of a job with the paths of their cached stems. Raises MB002, MB010.';
revoke execute on function public.get_mashup_stems(uuid) from public, anon, authenticated, service_role;
grant execute on function public.get_mashup_stems(uuid) to authenticated, service_role;

-- The account of a user: everything that the engine keeps of it. Auth deletes the account itself (edge function delete-account);
-- the triggers on auth.users then delete the rows and put the files into the outbox.

create function mashup.account_files(p_user uuid) returns table (path text, bytes bigint, created_at timestamptz)
  language sql stable security definer set search_path = ''
  as $$
  -- As in has_upload_quota: '0' is the character after '/'.
  select o.name, (o.metadata ->> 'size')::bigint, o.created_at from storage.objects o
    where o.bucket_id = 'mashups' and o.name ~>=~ ('uploads/' || p_user || '/') and o.name ~<~ ('uploads/' || p_user || '0')
  union all
  select o.name, (o.metadata ->> 'size')::bigint, o.created_at from public.mashup_jobs j
    join storage.objects o on o.bucket_id = 'mashups' and o.name = j.result_path
    where j.user_id = p_user
  union all
  select o.name, (o.metadata ->> 'size')::bigint, o.created_at from public.mashup_jobs j
    join public.mashup_results r on r.job_id = j.id and r.path = j.result_path
    cross join lateral mashup.mashup_stem_files(r.stems) f
    join storage.objects o on o.bucket_id = 'mashups' and o.name = f
    where j.user_id = p_user and j.result -> 'stems' ->> 'state' = 'ready'
$$;
comment on function mashup.account_files(uuid) is
  'Returns the files of a user that the user may read: uploads, current results and their stems. Stems of songs are made from the uploads and are not listed.';

create function public.export_account(after uuid default null, page_size integer default 20) returns jsonb
  language plpgsql stable security definer set search_path = ''
  as $$
declare
  v_user uuid := mashup.caller();
  v_ids uuid[] := array(
    select j.id from public.mashup_jobs j
    where j.user_id = v_user and (export_account.after is null or j.id > export_account.after)
    order by j.id limit greatest(1, least(coalesce(export_account.page_size, 20), 50)));
begin
  return jsonb_build_object(
    'account', (select jsonb_build_object('id', u.id, 'email', u.email, 'created_at', u.created_at) from auth.users u where u.id = v_user),
    'mashups', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'job', to_jsonb(j) - 'request_hash',
        'own_stems', (select coalesce(jsonb_object_agg(s ->> 'song_id', o.files), '{}') from jsonb_array_elements(j.songs) s
          join mashup.own_stems o on o.id = (s ->> 'own_stems_id')::bigint and o.user_id = v_user),
        'plans', (select coalesce(jsonb_agg(to_jsonb(p) - 'job_id' order by p.version), '[]') from public.mashup_plans p where p.job_id = j.id),
        'results', (select coalesce(jsonb_agg(to_jsonb(r) - 'job_id' order by r.epoch), '[]') from public.mashup_results r where r.job_id = j.id),
        'scores', (select coalesce(jsonb_agg(s.pairs order by s.epoch), '[]') from mashup.scores s where s.job_id = j.id),
        'shares', (select coalesce(jsonb_agg(jsonb_build_object('token', s.token, 'created_at', s.created_at, 'revoked_at', s.revoked_at,
          'taken_down_at', s.taken_down_at, 'reason', s.reason) order by s.created_at), '[]') from public.mashup_shares s where s.job_id = j.id),
        'events', (select coalesce(jsonb_agg(jsonb_build_object('type', e.type, 'stage', e.stage, 'song_id', e.song_id, 'message', e.message,
          'created_at', e.created_at) order by e.id), '[]') from public.mashup_job_events e where e.job_id = j.id)) order by j.id), '[]')
      from public.mashup_jobs j where j.id = any (v_ids)),
    -- With the first page only: they do not belong to one mashup.
    'analyses', case when export_account.after is null then (
      select coalesce(jsonb_agg(jsonb_build_object('content_hash', a.content_hash, 'version', a.version, 'created_at', a.created_at,
        'analysis', a.analysis - 'waveform') order by a.id), '[]') from mashup.analyses a where a.user_id = v_user) else '[]' end,
    'files', case when export_account.after is null then (
      select coalesce(jsonb_agg(to_jsonb(f) order by f.path), '[]') from mashup.account_files(v_user) f) else '[]' end,
    'next', case when cardinality(v_ids) > 0 and exists (
      select from public.mashup_jobs j where j.user_id = v_user and j.id > v_ids[cardinality(v_ids)]) then v_ids[cardinality(v_ids)] end);
end
$$;
comment on function public.export_account(uuid, integer) is
  'Returns what the engine keeps of the caller, one page of mashups at a time (page_size, 1 to 50): {account, mashups, analyses, files, next}. analyses and files come with the first page; next is the after of the next page, or null. Raises MB010.';
revoke execute on function public.export_account(uuid, integer) from public, anon, authenticated, service_role;
grant execute on function public.export_account(uuid, integer) to authenticated;

revoke execute on all functions in schema mashup from public;

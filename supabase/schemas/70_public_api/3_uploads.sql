-- Uploads: how many a user may request and store.

create function mashup.has_upload_quota() returns boolean
  language sql stable security definer set search_path = ''
  as $$
  -- Counted no further than the limit. The prefix index of Storage on names serves these operators, where a LIKE pattern made
  -- at run time would read the whole bucket. '0' is the character after '/'.
  select count(*) < mashup.setting_number('max_uploads_per_user') from (
    select from storage.objects o
    where o.bucket_id = 'mashups' and o.name ~>=~ ('uploads/' || auth.uid() || '/') and o.name ~<~ ('uploads/' || auth.uid() || '0')
    limit mashup.setting_number('max_uploads_per_user')::integer) own
$$;
comment on function mashup.has_upload_quota() is 'Returns whether the caller may store another upload.';
grant execute on function mashup.has_upload_quota() to authenticated;

create function public.begin_upload() returns void
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_user uuid := mashup.caller();
begin
  perform mashup.count_request(v_user, 'upload', 'max_uploads_per_minute', 'That was many uploads in one minute.');
  if not mashup.has_upload_quota() then
    perform mashup.raise_error('MB004', 'You have stored as many songs as you may.', 'Delete songs that you no longer need, then try again.', '60');
  end if;
end
$$;
comment on function public.begin_upload() is
  'Counts an upload of the caller; create-signed-upload calls it before Storage signs a URL. Raises MB004, MB010, MB012.';
revoke execute on function public.begin_upload() from public, anon, authenticated, service_role;
grant execute on function public.begin_upload() to authenticated;

create function public.check_task_upload(task_id bigint, claim uuid, path text) returns boolean
  language sql stable security definer set search_path = ''
  as $$
  select path not like '%..%' and exists (
    select from mashup.tasks t
    where t.id = check_task_upload.task_id and t.claim = check_task_upload.claim and t.state = 'running'
      and (starts_with(path, t.output_prefix || '/') or starts_with(path, t.output_prefix || '.')))
$$;
comment on function public.check_task_upload(bigint, uuid, text) is
  'Returns whether a claim is held and may write to a path; renew-upload asks before it signs an upload. For the service role.';
revoke execute on function public.check_task_upload(bigint, uuid, text) from public, anon, authenticated;
grant execute on function public.check_task_upload(bigint, uuid, text) to service_role;

revoke execute on all functions in schema mashup from public;

-- How often one user may ask for work, and how much they may store. Rows of jobs cannot be counted for this: whoever
-- deletes a job would have never submitted it, and a replay makes no row.

insert into mashup.settings (name, value, description) values
  ('max_uploads_per_minute', '60',  'Places for uploads that one user may ask for in a minute.'),
  ('max_uploads_per_user',   '200', 'Files that one user may have below uploads/; one more is refused.');
update mashup.settings set description = 'Runs that one user may ask for in a minute: submissions, new versions, starts, retries and replays.'
  where name = 'max_submits_per_minute';

create table mashup.call_counts (
  user_id uuid not null references auth.users (id) on delete cascade,
  action  text not null,
  since   timestamptz not null,
  calls   integer not null,
  primary key (user_id, action)
);
comment on table mashup.call_counts is 'Calls of a user in the minute that began at since; one row a user and action.';

-- A refused call is not counted: the error undoes its own count. The row is locked until the call has ended, so calls of one
-- user that come at once are counted one after the other.
create function mashup.count_request(p_user uuid, p_action text, p_setting text, p_message text) returns void
  language plpgsql set search_path = ''
  as $$
declare
  v_calls integer;
begin
  insert into mashup.call_counts as c (user_id, action, since, calls) values (p_user, p_action, mashup.now(), 1)
    on conflict (user_id, action) do update set
      since = case when c.since <= mashup.now() - interval '1 minute' then mashup.now() else c.since end,
      calls = case when c.since <= mashup.now() - interval '1 minute' then 1 else c.calls + 1 end
    returning c.calls into v_calls;
  if v_calls > mashup.setting_number(p_setting) then
    perform mashup.raise_error('MB012', p_message, 'Wait a minute, then try again.', '60');
  end if;
end
$$;
comment on function mashup.count_request(uuid, text, text, text) is 'Counts a call of a user; raises MB012 when the setting''s number a minute is exceeded.';

-- Counted no further than the limit. Storage's index on names for prefixes answers it: it takes these operators, where a
-- pattern made at run time for LIKE would read the whole bucket. '0' is the character after '/'.
create function mashup.has_upload_quota() returns boolean
  language sql stable security definer set search_path = ''
  as $$
  select count(*) < mashup.setting_number('max_uploads_per_user') from (
    select from storage.objects o
    where o.bucket_id = 'mashups' and o.name ~>=~ ('uploads/' || auth.uid() || '/') and o.name ~<~ ('uploads/' || auth.uid() || '0')
    limit mashup.setting_number('max_uploads_per_user')::integer) own
$$;
comment on function mashup.has_upload_quota() is 'Whether the caller may store another upload.';

-- Called by create-signed-upload before Storage signs a place.
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
comment on function public.begin_upload() is 'Counts an upload of the caller. Raises MB004, MB010, MB012.';

revoke all on mashup.call_counts from public, anon, authenticated, service_role;
revoke execute on function mashup.count_request(uuid, text, text, text), mashup.has_upload_quota(), public.begin_upload()
  from public, anon, authenticated, service_role;
grant execute on function public.begin_upload(), mashup.has_upload_quota() to authenticated;

-- Whoever uploads past the function, straight to Storage, meets the same number.
create policy "mashups: no more uploads than allowed" on storage.objects as restrictive for insert to authenticated
  with check (bucket_id <> 'mashups' or (select mashup.has_upload_quota()));

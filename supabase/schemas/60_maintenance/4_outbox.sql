-- The outbox of Storage deletions: what goes into it when rows are deleted, and how workers empty it. Users and their data.

create function mashup.enqueue_file_deletions() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  if tg_table_name = 'mashup_jobs' then
    insert into mashup.storage_deletions (path, is_prefix) values (format('generated/%s/', old.id), true);
    -- A worker that is not notified yet may go on writing for a while.
    perform mashup.discard_output(t) from mashup.tasks t where t.job_id = old.id and t.state = 'running';
  elsif tg_table_name = 'stems' then
    insert into mashup.storage_deletions (path) select f from mashup.stem_files(old.paths) f;
  else
    -- Once more after the last signed upload URL (two hours) and the last access token have expired.
    insert into mashup.storage_deletions (path, is_prefix, not_before)
      values (format('uploads/%s/', old.id), true, mashup.now()), (format('stems/%s/', old.id), true, mashup.now()),
        (format('uploads/%s/', old.id), true, mashup.now() + interval '3 hours');
  end if;
  return old;
end
$$;
comment on function mashup.enqueue_file_deletions() is 'Trigger: puts the files of a deleted job, stems row or user into the outbox.';
create trigger enqueue_file_deletions before delete on public.mashup_jobs for each row execute function mashup.enqueue_file_deletions();
create trigger enqueue_file_deletions before delete on mashup.stems for each row execute function mashup.enqueue_file_deletions();
create trigger mashup_enqueue_file_deletions before delete on auth.users for each row execute function mashup.enqueue_file_deletions();

create function mashup.claim_storage_deletions(p_limit integer) returns setof mashup.storage_deletions
  language sql security definer set search_path = ''
  as $$
  update mashup.storage_deletions d set attempts = d.attempts + 1, not_before = mashup.now() + mashup.setting_interval('outbox_retry_sec')
  where d.id in (select s.id from mashup.storage_deletions s where s.not_before <= mashup.now()
    order by s.not_before limit p_limit for update skip locked)
  returning d.*
$$;
comment on function mashup.claim_storage_deletions(integer) is
  'Leases up to p_limit due rows of the outbox to a worker. Rows that it does not complete are due again after outbox_retry_sec.';
grant execute on function mashup.claim_storage_deletions(integer) to mashup_worker;

create function mashup.complete_storage_deletions(p_ids bigint[]) returns void
  language sql security definer set search_path = ''
  as $$ delete from mashup.storage_deletions where id = any (p_ids) $$;
comment on function mashup.complete_storage_deletions(bigint[]) is 'Removes rows whose objects are deleted from the outbox.';
grant execute on function mashup.complete_storage_deletions(bigint[]) to mashup_worker;

create function mashup.check_user() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  -- The user's row is locked against deletion until the job is committed. Only here: nothing that has locked a job waits for
  -- its user.
  perform from auth.users u where u.id = new.user_id for key share;
  if not found then
    raise exception using errcode = 'foreign_key_violation', message = format('There is no user %s.', new.user_id),
      hint = 'Sign up first.';
  end if;
  return new;
end
$$;
comment on function mashup.check_user() is 'Trigger: refuses a job of a user who does not exist. Lock: user row, shared.';
create trigger check_user before insert on public.mashup_jobs for each row execute function mashup.check_user();

create function mashup.delete_user_data() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
begin
  -- Jobs first, in the order of bulk; then the caches, to which no job can add any more.
  perform from public.mashup_jobs j where j.user_id = old.id order by j.id for update;
  delete from public.mashup_jobs j where j.user_id = old.id;
  delete from mashup.stems s where s.user_id = old.id;
  delete from mashup.analyses a where a.user_id = old.id;
  delete from mashup.own_stems o where o.user_id = old.id;
  delete from mashup.plan_spend s where s.user_id = old.id;
  delete from mashup.pauses p where p.scope = 'user' and p.key = old.id::text;
  -- What is not delivered yet still tells other programs of the end of a job.
  delete from mashup.outgoing_events e where e.payload #>> '{data,user_id}' = old.id::text and e.delivered_at is not null;
  return null;
end
$$;
comment on function mashup.delete_user_data() is 'Trigger: deletes the jobs, analyses, stems, costs, pauses and delivered events of a deleted user. Lock order: user, jobs by id.';
create trigger mashup_delete_user_data after delete on auth.users for each row execute function mashup.delete_user_data();

revoke execute on all functions in schema mashup from public;

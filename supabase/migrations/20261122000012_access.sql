-- Who may do what. Everything is revoked first, then granted by name.

do $$
begin
  if not exists (select from pg_roles where rolname = 'mashup_worker') then
    -- The worker reads all tenants' jobs. It gets a password from the operator: alter role mashup_worker login password '…'.
    create role mashup_worker nologin bypassrls;
  end if;
end
$$;
grant mashup_worker to postgres;

alter table public.mashup_jobs enable row level security;
alter table public.mashup_plans enable row level security;
alter table public.mashup_results enable row level security;
alter table public.mashup_job_events enable row level security;

revoke all on public.mashup_jobs, public.mashup_plans, public.mashup_results, public.mashup_job_events from public, anon, authenticated, service_role;
revoke all on all tables in schema mashup from public, anon, authenticated, service_role;
revoke execute on all functions in schema mashup from public, anon, authenticated, service_role;
revoke execute on function
  public.submit_mashup(jsonb, jsonb, text, text), public.iterate_mashup(uuid, text, jsonb, text), public.start_mashup(uuid, jsonb),
  public.cancel_mashup(uuid), public.retry_mashup(uuid), public.replay_mashup(uuid, text, boolean), public.delete_mashup(uuid),
  public.get_mashup(uuid), public.get_mashup_analyses(uuid)
  from public, anon, authenticated, service_role;

-- Tenants read their own rows and change them only through the functions.
grant select on public.mashup_jobs, public.mashup_results to authenticated;
grant select (job_id, version, epoch, source, plan, song_ids, model, tokens, cost_usd, changes, created_at) on public.mashup_plans to authenticated;
grant select (id, job_id, epoch, type, stage, from_stage, song_id, message, created_at) on public.mashup_job_events to authenticated;
create policy "own jobs" on public.mashup_jobs for select to authenticated using (user_id = (select auth.uid()));
create policy "plans of own jobs" on public.mashup_plans for select to authenticated
  using (exists (select from public.mashup_jobs j where j.id = job_id and j.user_id = (select auth.uid())));
create policy "results of own jobs" on public.mashup_results for select to authenticated
  using (exists (select from public.mashup_jobs j where j.id = job_id and j.user_id = (select auth.uid())));
create policy "events of own jobs" on public.mashup_job_events for select to authenticated
  using (exists (select from public.mashup_jobs j where j.id = job_id and j.user_id = (select auth.uid())));
grant execute on function
  public.submit_mashup(jsonb, jsonb, text, text), public.iterate_mashup(uuid, text, jsonb, text), public.start_mashup(uuid, jsonb),
  public.cancel_mashup(uuid), public.retry_mashup(uuid), public.replay_mashup(uuid, text, boolean), public.delete_mashup(uuid),
  public.get_mashup(uuid), public.get_mashup_analyses(uuid)
  to authenticated;
-- get_mashup runs with the caller's rights and asks the clock.
grant usage on schema mashup to authenticated, service_role;
grant execute on function mashup.now() to authenticated, service_role;

-- The service role is the operator's key over the API: it reads everything in public and replays by writing the stage.
grant select on public.mashup_jobs, public.mashup_plans, public.mashup_results, public.mashup_job_events to service_role;
grant update (stage) on public.mashup_jobs to service_role;
grant execute on function public.get_mashup(uuid) to service_role;

-- Workers: what they call, and what they read.
grant usage on schema mashup, public to mashup_worker;
grant select on public.mashup_jobs, public.mashup_plans, public.mashup_results to mashup_worker;
grant select on mashup.tasks, mashup.task_kinds, mashup.stages, mashup.settings, mashup.workers, mashup.service_health, mashup.pauses,
  mashup.analyses, mashup.stems, mashup.scores, mashup.plan_receipts to mashup_worker;
grant execute on function
  mashup.now(), mashup.setting_number(text), mashup.register_worker(uuid, text, integer, bigint, text, integer, text[], jsonb),
  mashup.claim_task(bigint, integer, uuid), mashup.heartbeat_task(bigint, uuid, real, text), mashup.heartbeat_worker(uuid),
  mashup.finish_task(bigint, uuid, jsonb), mashup.fail_task(bigint, uuid, text, text, text, text, real),
  mashup.return_task(bigint, uuid), mashup.deregister_worker(uuid), mashup.save_receipt(uuid, text, jsonb, jsonb, numeric),
  mashup.sweep(), mashup.claim_storage_deletions(integer), mashup.complete_storage_deletions(bigint[]),
  mashup.grant_queue()
  to mashup_worker;
select mashup.grant_queue();

-- Storage: one private bucket. Users write below uploads/<their id>/ and read that and their current results.
insert into storage.buckets (id, name, public, file_size_limit) values ('mashups', 'mashups', false, 268435456)
  on conflict (id) do nothing;
create policy "mashups: own uploads in" on storage.objects for insert to authenticated
  with check (bucket_id = 'mashups' and (storage.foldername(name))[1] = 'uploads' and (storage.foldername(name))[2] = (select auth.uid())::text);
create policy "mashups: own uploads change" on storage.objects for update to authenticated
  using (bucket_id = 'mashups' and (storage.foldername(name))[1] = 'uploads' and (storage.foldername(name))[2] = (select auth.uid())::text)
  with check (bucket_id = 'mashups' and (storage.foldername(name))[1] = 'uploads' and (storage.foldername(name))[2] = (select auth.uid())::text);
create policy "mashups: own uploads out" on storage.objects for delete to authenticated
  using (bucket_id = 'mashups' and (storage.foldername(name))[1] = 'uploads' and (storage.foldername(name))[2] = (select auth.uid())::text);
create policy "mashups: own uploads and results" on storage.objects for select to authenticated
  using (bucket_id = 'mashups' and (
    ((storage.foldername(name))[1] = 'uploads' and (storage.foldername(name))[2] = (select auth.uid())::text)
    or ((storage.foldername(name))[1] = 'generated' and exists (
      select from public.mashup_jobs j where j.result_path = objects.name and j.user_id = (select auth.uid())))));

-- A user who goes takes files and rows along.
create trigger forget_mashup_files before delete on auth.users for each row execute function mashup.enqueue_file_deletions();
create trigger forget_mashup_user after delete on auth.users for each row execute function mashup.delete_user_data();

do $$
begin
  if not exists (select from pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
  end if;
  alter publication supabase_realtime add table public.mashup_jobs;
end
$$;

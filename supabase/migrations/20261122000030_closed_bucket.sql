-- The bucket stays closed whatever else a project has: policies that permit add up, so one of an earlier product ("whoever
-- uploads may write below uploads/") would open what ours keep shut. Restrictive policies are asked as well and can only
-- refuse. Buckets other than mashups are let through.

create policy "mashups: no uploads but own" on storage.objects as restrictive for insert to anon, authenticated
  with check (bucket_id <> 'mashups'
    or ((storage.foldername(name))[1] = 'uploads' and (storage.foldername(name))[2] = (select auth.uid())::text));
create policy "mashups: no changes but own" on storage.objects as restrictive for update to anon, authenticated
  using (bucket_id <> 'mashups'
    or ((storage.foldername(name))[1] = 'uploads' and (storage.foldername(name))[2] = (select auth.uid())::text))
  with check (bucket_id <> 'mashups'
    or ((storage.foldername(name))[1] = 'uploads' and (storage.foldername(name))[2] = (select auth.uid())::text));
create policy "mashups: no removals but own" on storage.objects as restrictive for delete to anon, authenticated
  using (bucket_id <> 'mashups'
    or ((storage.foldername(name))[1] = 'uploads' and (storage.foldername(name))[2] = (select auth.uid())::text));
-- Two, since anon may not so much as name mashup_jobs, and would be refused in all buckets.
create policy "mashups: no reads without a session" on storage.objects as restrictive for select to anon
  using (bucket_id <> 'mashups');
create policy "mashups: no reads but own" on storage.objects as restrictive for select to authenticated
  using (bucket_id <> 'mashups'
    or ((storage.foldername(name))[1] = 'uploads' and (storage.foldername(name))[2] = (select auth.uid())::text)
    or ((storage.foldername(name))[1] = 'generated' and exists (
      select from public.mashup_jobs j where j.result_path = objects.name and j.user_id = (select auth.uid()))));

-- A bucket that was there before may have been public, or too small for stems.
update storage.buckets set public = false,
  file_size_limit = case when file_size_limit is null then null else greatest(file_size_limit, 268435456) end
  where id = 'mashups' and (public or file_size_limit < 268435456);

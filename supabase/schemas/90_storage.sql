-- Storage: one private bucket. Users write below uploads/<their id>/ and read that, their current results and playable parts.

insert into storage.buckets (id, name, public, file_size_limit) values ('mashups', 'mashups', false, 268435456)
  on conflict (id) do nothing;
-- A bucket that existed before may have been public, or too small for stems.
update storage.buckets set public = false,
  file_size_limit = case when file_size_limit is null then null else greatest(file_size_limit, 268435456) end
  where id = 'mashups' and (public or file_size_limit < 268435456);

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
      select from public.mashup_jobs j where j.result_path = objects.name and j.user_id = (select auth.uid())))
    -- Parts are played until some minutes after the end, when the row no longer names them. Stems of a mashup lie beside it.
    or ((storage.foldername(name))[1] = 'generated' and (storage.foldername(name))[3] ~ '[.](parts|stems)$' and exists (
      select from public.mashup_jobs j where j.id::text = (storage.foldername(objects.name))[2] and j.user_id = (select auth.uid())
        and j.takedown_reason is null))));

-- The bucket stays closed whatever other policies a project has: permissive policies add up, so one of an earlier product
-- ("users may write below uploads/") would open what ours keep shut. Restrictive policies apply as well and can only refuse.
-- They pass buckets other than mashups.
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
-- Two policies for reads: anon has no right on mashup_jobs, and a policy that names it would refuse anon in all buckets.
create policy "mashups: no reads without a session" on storage.objects as restrictive for select to anon
  using (bucket_id <> 'mashups');
create policy "mashups: no reads but own" on storage.objects as restrictive for select to authenticated
  using (bucket_id <> 'mashups'
    or ((storage.foldername(name))[1] = 'uploads' and (storage.foldername(name))[2] = (select auth.uid())::text)
    or ((storage.foldername(name))[1] = 'generated' and exists (
      select from public.mashup_jobs j where j.result_path = objects.name and j.user_id = (select auth.uid())))
    or ((storage.foldername(name))[1] = 'generated' and (storage.foldername(name))[3] ~ '[.](parts|stems)$' and exists (
      select from public.mashup_jobs j where j.id::text = (storage.foldername(objects.name))[2] and j.user_id = (select auth.uid())
        and j.takedown_reason is null)));
-- An upload straight to Storage, past create-signed-upload, meets the same quota.
create policy "mashups: no more uploads than allowed" on storage.objects as restrictive for insert to authenticated
  with check (bucket_id <> 'mashups' or (select mashup.has_upload_quota()));

-- Public links: their owners make and revoke them, and the edge functions without sign-in read by them.

create function mashup.new_share_token() returns text
  language plpgsql volatile set search_path = ''
  as $$
begin
  -- 244 random bits, of which a hash keeps 144: 24 characters without padding.
  return translate(encode(substring(sha256(convert_to(pg_catalog.gen_random_uuid()::text || pg_catalog.gen_random_uuid(), 'UTF8')) for 18), 'base64'), '+/', '-_');
end
$$;
comment on function mashup.new_share_token() is 'Returns a new token of a public link: 144 random bits, base64url.';

create function public.share_mashup(p_job_id uuid) returns jsonb
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_job public.mashup_jobs;
  v_share public.mashup_shares;
begin
  perform mashup.count_request(mashup.caller(), 'share', 'max_shares_per_minute', 'That was many public links in one minute.');
  v_job := mashup.require_own_job(share_mashup.p_job_id);
  if mashup.setting_text('sharing_enabled') <> 'true' then
    perform mashup.raise_error('MB016', 'The operator has switched sharing off.', 'Download the mashup and send the file, or ask the operator.');
  elsif v_job.takedown_reason is not null then
    perform mashup.raise_error('MB015', format('Mashup %s was taken down: %s', v_job.id, v_job.takedown_reason), 'Contact the operator.');
  end if;
  select * into v_share from public.mashup_shares s where s.job_id = v_job.id and s.revoked_at is null;
  if v_share.taken_down_at is not null then
    perform mashup.raise_error('MB015', format('The public link of mashup %s was taken down: %s', v_job.id, v_share.reason), 'Contact the operator.');
  elsif v_share.token is null then
    if v_job.stage <> 'complete' or v_job.result_path is null then
      perform mashup.raise_error('MB003', 'This mashup has no file, and so nothing to share.',
        mashup.hint_without_file(v_job));
    end if;
    insert into public.mashup_shares (token, job_id) values (mashup.new_share_token(), v_job.id) returning * into v_share;
    update public.mashup_jobs j set shared_at = v_share.created_at where j.id = v_job.id returning * into v_job;
    perform mashup.log_event(v_job, 'share', 'Shared by a public link');
  end if;
  return jsonb_build_object('token', v_share.token, 'created_at', v_share.created_at);
end
$$;
comment on function public.share_mashup(uuid) is
  'Makes the public link of a complete mashup of the caller, or returns the one it has: {token, created_at}. The link serves the current result until it is revoked or taken down. Lock order: the user''s counter, job, its links. Raises MB002, MB003, MB010, MB012, MB015, MB016.';
revoke execute on function public.share_mashup(uuid) from public, anon, authenticated, service_role;
grant execute on function public.share_mashup(uuid) to authenticated;

create function public.unshare_mashup(p_job_id uuid) returns boolean
  language plpgsql security definer set search_path = ''
  as $$
begin
  return mashup.end_share(mashup.require_own_job(unshare_mashup.p_job_id));
end
$$;
comment on function public.unshare_mashup(uuid) is
  'Revokes the public link of a mashup of the caller. Returns false if there is none. Lock order: job, its links. Raises MB002, MB010.';
revoke execute on function public.unshare_mashup(uuid) from public, anon, authenticated, service_role;
grant execute on function public.unshare_mashup(uuid) to authenticated;

revoke execute on all functions in schema mashup from public;

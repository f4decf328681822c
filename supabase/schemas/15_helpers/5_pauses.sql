-- Whether something is paused.

create function mashup.is_paused(p_scope text, p_key text) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return exists (select from mashup.pauses p
    where ((p.scope = 'system') or (p.scope = p_scope and p.key = p_key)) and (p.until is null or p.until > mashup.now()));
end
$$;
comment on function mashup.is_paused(text, text) is 'Returns whether a pause of this scope and key, or of the system, is in force.';

create function mashup.is_job_paused(p_job_id uuid, p_user_id uuid) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return exists (select from mashup.pauses) and (mashup.is_paused('job', p_job_id::text) or mashup.is_paused('user', p_user_id::text));
end
$$;
comment on function mashup.is_job_paused(uuid, uuid) is 'Returns whether a job, its user or the system is paused.';

create function mashup.is_kind_paused(p_kind mashup.task_kinds) returns boolean
  language plpgsql stable set search_path = ''
  as $$
begin
  return mashup.is_paused('kind', p_kind.kind) or mashup.is_paused('service', p_kind.service)
    or (p_kind.uses_storage and mashup.is_paused('service', 'storage'));
end
$$;
comment on function mashup.is_kind_paused(mashup.task_kinds) is 'Returns whether a kind of task, or a service that it needs, or the system is paused.';

revoke execute on all functions in schema mashup from public;

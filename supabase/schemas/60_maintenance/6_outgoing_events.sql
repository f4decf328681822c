-- Delivery of events: a worker claims due events, delivers them and reports the outcome. An event of which nothing is reported,
-- because its worker was lost, is due again after half a minute: delivery is at least once.

create function mashup.claim_outgoing_events(p_limit integer) returns setof mashup.outgoing_events
  language plpgsql security definer set search_path = ''
  as $$
declare
  v_event mashup.outgoing_events;
begin
  for v_event in
    select e.* from mashup.outgoing_events e
    where e.delivered_at is null and e.not_before <= mashup.now()
      -- One event of a job at a time, so that they arrive in order.
      and not exists (select from mashup.outgoing_events b where b.job_id = e.job_id and b.seq < e.seq and b.delivered_at is null)
    order by e.seq limit p_limit for update skip locked
  loop
    update mashup.outgoing_events e set attempts = e.attempts + 1, not_before = mashup.now() + interval '30 seconds'
      where e.seq = v_event.seq returning * into v_event;
    perform pg_catalog.pg_notify('mashup_events', (jsonb_build_object('id', v_event.id) || v_event.payload)::text);
    return next v_event;
  end loop;
end
$$;
comment on function mashup.claim_outgoing_events(integer) is
  'Leases up to p_limit due events to a worker for half a minute, the oldest of each job, and notifies channel mashup_events of them. Lock: event rows; never waits for a row.';
grant execute on function mashup.claim_outgoing_events(integer) to mashup_worker;

create function mashup.complete_outgoing_event(p_seq bigint, p_error text default null) returns void
  language sql security definer set search_path = ''
  as $$
  update mashup.outgoing_events e set last_error = left(p_error, 300),
      delivered_at = case when p_error is null then mashup.now() end,
      -- Full jitter, at least half of the back-off: 1 s, 2 s, 4 s … up to an hour.
      not_before = case when p_error is null then e.not_before
        else mashup.now() + make_interval(secs => least(3600, 2 ^ least(e.attempts, 12)) * (0.5 + random() / 2)) end
    where e.seq = p_seq and e.delivered_at is null
$$;
comment on function mashup.complete_outgoing_event(bigint, text) is
  'Records that an event was delivered, or why not: it is then due again after a back-off of up to an hour.';
grant execute on function mashup.complete_outgoing_event(bigint, text) to mashup_worker;

create function mashup.purge_outgoing_events(p_batch integer) returns integer
  language plpgsql set search_path = ''
  as $$
declare
  v_count integer;
begin
  delete from mashup.outgoing_events e where e.seq in (
    select d.seq from mashup.outgoing_events d where d.created_at < mashup.now() - interval '7 days'
    order by d.seq limit p_batch for update skip locked);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function mashup.purge_outgoing_events(integer) is 'Deletes events after a week, delivered or not. Returns how many, at most p_batch.';

revoke execute on all functions in schema mashup from public;

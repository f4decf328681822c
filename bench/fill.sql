-- Fills the tables: p_finished finished jobs with part of their history, p_waiting jobs that wait for a slot, of 1,000 users.
-- Triggers are off (session_replication_role): only the final rows are created. Run by million.ts.
create function pg_temp.fill(p_finished integer, p_waiting integer) returns void language plpgsql as $$
begin
  create temp table people as select gen_random_uuid() as id, n from generate_series(0, 999) n;
  insert into auth.users (id, email) select id, id || '@bench.test' from people;

  create temp table made as
    select gen_random_uuid() as id, p.id as user_id, g.n, now() - make_interval(secs => g.n) as at
    from generate_series(1, p_finished) g (n) join people p on p.n = g.n % 1000;
  insert into public.mashup_jobs (id, user_id, stage, status, progress, current_step, songs, result_path, result, score, title, plan_version,
      error_code, error_message, created_at, queued_at, stage_entered_at, updated_at, finished_at, version)
    select id, user_id, case when n % 20 = 0 then 'failed' else 'complete' end, case when n % 20 = 0 then 'failed' else 'complete' end, 100, 'Done',
      jsonb_build_array(
        jsonb_build_object('song_id', 'one', 'name', 'Song one', 'artist', 'A', 'path', 'uploads/one.wav', 'state', 'ready', 'hash', md5(n::text), 'analysis_id', n, 'stems_id', n),
        jsonb_build_object('song_id', 'two', 'name', 'Song two', 'artist', 'B', 'path', 'uploads/two.wav', 'state', 'ready', 'hash', md5((n + 1)::text), 'analysis_id', n, 'stems_id', n)),
      case when n % 20 <> 0 then 'generated/' || id || '/1.wav' end, '{"format": "wav", "duration_sec": 180}', 80, 'A mashup', 1,
      case when n % 20 = 0 then 'bench' end, case when n % 20 = 0 then 'Bench' end, at, at, at, at, at, 20
    from made;
  insert into mashup.tasks (job_id, kind, song_id, epoch, state, priority, run_at, attempt, started_at, created_at, finished_at)
    select m.id, k.kind, k.song, 1, 'done', 0, m.at, 1, m.at, m.at, m.at
    from made m cross join (values ('analyze', 'one'), ('separate', 'one'), ('render', null)) k (kind, song);
  insert into public.mashup_job_events (job_id, epoch, type, stage, message, created_at)
    select m.id, 1, 'stage', s.stage, 'Bench', m.at from made m cross join (values ('analyzing'), ('rendering'), ('complete')) s (stage);

  -- Waiting jobs of the same users, queued later than all running ones.
  insert into public.mashup_jobs (user_id, stage, waiting_on, current_step, songs, created_at, queued_at)
    select p.id, 'queued', 'slot', 'Waiting for a free slot',
      '[{"song_id": "one", "name": "One", "artist": "A", "path": "uploads/one.wav", "state": "pending"}, {"song_id": "two", "name": "Two", "artist": "B", "path": "uploads/two.wav", "state": "pending"}]',
      now(), now() + interval '1 hour'
    from generate_series(1, p_waiting) g (n) join people p on p.n = g.n % 1000;
end
$$;

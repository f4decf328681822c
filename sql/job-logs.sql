-- The log lines of a job's tasks, in order, as its workers wrote them: starts, calls, steps and faults. Put the id of a job in place
-- of the zeros. Lines are kept for task_logs_kept_days, the newest task_log_max_lines of each task.

select to_char(l.at, 'YYYY-MM-DD HH24:MI:SS.MS TZ') as at, l.level, l.kind, s ->> 'name' as song, l.epoch, l.line, nullif(l.fields, '{}') as fields
from mashup.read_task_logs('00000000-0000-0000-0000-000000000000', p_limit => 1000) l
left join public.mashup_jobs j on j.id = '00000000-0000-0000-0000-000000000000'
left join lateral jsonb_array_elements(j.songs) s on s ->> 'song_id' = l.song_id
order by l.id;

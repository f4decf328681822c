-- A change sends the whole row to its subscribers: no value is stored out of line.
select format('job %s takes %s bytes', j.id, pg_column_size(j)) from public.mashup_jobs j where pg_column_size(j) > 8000
union all
select 'mashup_jobs has rows out of line' from pg_class c where c.oid = 'public.mashup_jobs'::regclass and c.reltoastrelid <> 0
  and pg_relation_size(c.reltoastrelid) > 0

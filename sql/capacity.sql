-- Use and limit of slots, services and workers.
-- waiting > 0 with in_use = at_most shows the bottleneck. Limits are rows of mashup.settings.
select * from mashup.capacity;

select name, value, description from mashup.settings order by name;
-- update mashup.settings set value = '8' where name = 'max_running_jobs';
-- update mashup.settings set value = value || '{"analysis": 4}' where name = 'service_limits';

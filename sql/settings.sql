-- The settings: every limit, time and budget, with its unit.
select name, value, description from mashup.settings order by name;
-- update mashup.settings set value = '8' where name = 'max_running_jobs';
-- update mashup.settings set value = value || '{"analysis": 4}' where name = 'service_limits';

-- Which services are away?
-- closed: all is well. open: tasks wait without using attempts; probe_in says when one is tried. half_open: the probe is on its way.
select * from mashup.circuits;

-- Close one by hand after a repair (the next task is then tried at once):
--   update mashup.service_health set state = 'closed', failures = 0, retry_at = null where service = 'analysis';
-- and what waits is released by the next sweep, within a second.

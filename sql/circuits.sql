-- Which services are unavailable?
-- closed: calls pass. open: tasks wait without losing attempts, until probe_in has passed. half_open: one probe is running.
select * from mashup.circuits;

-- To close a circuit after a repair, so that the next task runs at once:
--   update mashup.service_health set state = 'closed', failures = 0, retry_at = null where service = 'analysis';
-- The next sweep dispatches the waiting tasks, within a second.

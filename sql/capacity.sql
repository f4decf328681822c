-- Use and limit of slots, services and workers.
-- waiting > 0 with in_use = at_most shows the bottleneck. Limits are rows of mashup.settings: see settings.sql.
select * from mashup.capacity;

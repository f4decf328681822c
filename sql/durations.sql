-- Measured durations by kind of task, the source of estimates.
select * from mashup.stage_stats order by kind;

-- How many jobs leave each stage, and how long they are in it, for the last day or another interval.
select * from mashup.throughput('1 day');

-- Measured durations by kind of task, the source of estimates.
select * from mashup.stage_stats order by kind;

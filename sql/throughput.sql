-- How many jobs pass each stage, and how long are they in it? Last day; give another interval for more.
select * from mashup.throughput('1 day');

-- Measured durations by kind of task: what estimates are made of.
select * from mashup.stage_stats order by kind;

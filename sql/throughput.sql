-- How many jobs leave each stage, and how long they are in it, for the last day or another interval.
select * from mashup.throughput('1 day');

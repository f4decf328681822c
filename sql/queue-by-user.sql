-- Which users wait, and for how long?
select * from mashup.queue_by_user;

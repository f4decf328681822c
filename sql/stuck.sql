-- Live jobs that make no progress, and why. Empty in normal operation.
-- `cause` is a word for it, `why` says what to do.
select * from mashup.stuck;

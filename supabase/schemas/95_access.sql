-- The last statement of the installation. Until here the functions of schema mashup cannot be reached by API roles, so that an
-- installation that stops in between leaves none of them open.

-- get_mashup runs with its caller's rights and reads the clock.
grant usage on schema mashup to authenticated, service_role;

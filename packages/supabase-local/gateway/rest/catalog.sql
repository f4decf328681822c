-- The tables, views and functions of one schema, as one JSON value.
select json_build_object(
  'relations', coalesce((
    select json_agg(json_build_object(
      'name', c.relname,
      'columns', (
        select json_agg(
          json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'base', format_type(a.atttypid, null))
          order by a.attnum)
        from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      )
    ))
    from pg_catalog.pg_class c
    where c.relnamespace = n.oid and c.relkind in ('r', 'p', 'v', 'm', 'f')
  ), '[]'::json),
  'functions', coalesce((
    select json_agg(json_build_object(
      'name', p.proname,
      'arguments', coalesce((
        select json_agg(
          json_build_object(
            'name', coalesce(p.proargnames[i], ''),
            'type', format_type(p.proargtypes[i - 1], null),
            'optional', i > p.pronargs - p.pronargdefaults)
          order by i)
        from generate_series(1, p.pronargs) as i
        where p.proargmodes is null
      ), (
        select json_agg(
          json_build_object('name', a.name, 'type', format_type(a.type, null), 'optional', a.position > p.pronargs - p.pronargdefaults)
          order by a.position)
        from (
          select p.proargnames[i] as name, p.proallargtypes[i] as type, row_number() over (order by i) as position
          from generate_subscripts(p.proallargtypes, 1) as i
          where p.proargmodes[i] in ('i', 'b', 'v')
        ) as a
      ), '[]'::json),
      'set', p.proretset,
      'result', case
        when p.prorettype = 'void'::regtype then 'void'
        when t.typtype = 'c' or p.prorettype = 'record'::regtype then 'row'
        else 'scalar'
      end,
      'columns', coalesce((
        select json_agg(
          json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'base', format_type(a.atttypid, null))
          order by a.attnum)
        from pg_catalog.pg_attribute a
        where a.attrelid = t.typrelid and t.typrelid <> 0 and a.attnum > 0 and not a.attisdropped
      ), (
        select json_agg(
          json_build_object('name', p.proargnames[i], 'type', format_type(p.proallargtypes[i], null), 'base', format_type(p.proallargtypes[i], null))
          order by i)
        from generate_subscripts(p.proallargtypes, 1) as i
        where p.proargmodes[i] in ('o', 'b', 't')
      ), '[]'::json)
    ))
    from pg_catalog.pg_proc p
    join pg_catalog.pg_type t on t.oid = p.prorettype
    where p.pronamespace = n.oid and p.prokind = 'f' and p.prorettype <> 'trigger'::regtype
      and p.prorettype <> 'event_trigger'::regtype
  ), '[]'::json)
)::text as catalog
from pg_catalog.pg_namespace n
where n.nspname = $1

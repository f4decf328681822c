-- One row for each object of the project, in the order of the snapshot. Lines of the text are SQL where SQL can say it.
with relations as (
  select c.oid, c.relkind, c.reloptions, c.relrowsecurity, c.relforcerowsecurity, c.relacl, c.relowner, n.nspname, c.relname,
    format('%I.%I', n.nspname, c.relname) as name
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'v') and (n.nspname = 'mashup' or (n.nspname = 'public' and c.relname like 'mashup\_%'))
), functions as (
  select p.*, n.nspname, p.oid::regprocedure::text as signature
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.nspname = 'mashup' or (n.nspname = 'public' and p.prolang in (select oid from pg_language where lanname in ('sql', 'plpgsql')))
), columns as (
  select a.attrelid, a.attnum, a.attname, a.attacl,
    format('  %I %s', a.attname, format_type(a.atttypid, a.atttypmod))
      || case a.attstorage when t.typstorage then '' else ' storage '
        || case a.attstorage when 'm' then 'main' when 'e' then 'external' when 'x' then 'extended' else 'plain' end end
      || case when a.attidentity = 'a' then ' generated always as identity' else '' end
      || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
      || case when a.attnotnull then ' not null' else '' end as line
  from pg_attribute a join pg_type t on t.oid = a.atttypid
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attnum > 0 and not a.attisdropped
), grants as (
  select r.oid, string_agg(format('grant %s on %s to %s;', g.privileges, r.name, g.grantee), e'\n' order by g.grantee) as lines
  from relations r cross join lateral (
    select pg_get_userbyid(nullif(x.grantee, 0)) as grantee, string_agg(lower(x.privilege_type), ', ' order by x.privilege_type) as privileges
    from aclexplode(r.relacl) x where x.grantee <> r.relowner group by 1) g
  group by r.oid
), column_grants as (
  select r.oid, string_agg(format('grant %s (%s) on %s to %s;', g.privilege, g.columns, r.name, g.grantee), e'\n' order by g.grantee, g.privilege) as lines
  from relations r cross join lateral (
    select pg_get_userbyid(x.grantee) as grantee, lower(x.privilege_type) as privilege, string_agg(c.attname, ', ' order by c.attnum) as columns
    from columns c cross join lateral aclexplode(c.attacl) x where c.attrelid = r.oid group by 1, 2) g
  group by r.oid
), policies as (
  select p.polrelid, string_agg(format('create policy %I on %s as %s for %s to %s', p.polname, p.polrelid::regclass,
      case when p.polpermissive then 'permissive' else 'restrictive' end,
      case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
      (select string_agg(pg_get_userbyid(o), ', ' order by pg_get_userbyid(o)) from unnest(p.polroles) o))
    || coalesce(e'\n  using ' || pg_get_expr(p.polqual, p.polrelid), '')
    || coalesce(e'\n  with check ' || pg_get_expr(p.polwithcheck, p.polrelid), '') || ';', e'\n' order by p.polname) as lines
  from pg_policy p where p.polrelid in (select oid from relations) or p.polname like 'mashups:%' group by p.polrelid
), triggers as (
  select t.tgrelid, string_agg(pg_get_triggerdef(t.oid) || ';', e'\n' order by t.tgname) as lines
  from pg_trigger t join functions f on f.oid = t.tgfoid where not t.tgisinternal group by t.tgrelid
)
select parts.text from (
  select 1 as section, '' as name, format('create schema mashup;%s%s', coalesce(e'\ncomment on schema mashup is ' || quote_literal(obj_description(n.oid, 'pg_namespace')) || ';', ''),
    (select string_agg(format(e'\ngrant %s on schema mashup to %s;', lower(x.privilege_type), pg_get_userbyid(x.grantee)), '' order by pg_get_userbyid(x.grantee))
      from aclexplode(n.nspacl) x where x.grantee <> n.nspowner)) as text
  from pg_namespace n where n.nspname = 'mashup'
  union all
  select 2, r.rolname, format('create role %I%s%s%s;', r.rolname, case when r.rolbypassrls then ' bypassrls' else '' end,
    case when r.rolsuper then ' superuser' else '' end, case when r.rolcreaterole then ' createrole' else '' end)
  from pg_roles r where r.rolname = 'mashup_worker'
  union all
  select 3, r.name,
    format(e'create table %s (\n%s\n)%s;', r.name,
      concat_ws(e',\n',
        (select string_agg(c.line, e',\n' order by c.attnum) from columns c where c.attrelid = r.oid),
        (select string_agg(format('  constraint %I %s', c.conname, pg_get_constraintdef(c.oid)), e',\n' order by c.conname)
          from pg_constraint c where c.conrelid = r.oid and c.contype not in ('n', 't'))),
      ' with (' || array_to_string(r.reloptions, ', ') || ')')
    || coalesce(e'\ncomment on table ' || r.name || ' is ' || quote_literal(obj_description(r.oid, 'pg_class')) || ';', '')
    || coalesce((select string_agg(format(e'\ncomment on column %s.%I is %L;', r.name, c.attname, col_description(r.oid, c.attnum)), '' order by c.attnum)
        from columns c where c.attrelid = r.oid and col_description(r.oid, c.attnum) is not null), '')
    || coalesce((select string_agg(e'\n' || pg_get_indexdef(i.indexrelid) || ';', '' order by pg_get_indexdef(i.indexrelid)) from pg_index i
        where i.indrelid = r.oid and not exists (select from pg_constraint c where c.conindid = i.indexrelid)), '')
    || case when r.relrowsecurity then format(e'\nalter table %s enable row level security;', r.name) else '' end
    || coalesce(e'\n' || p.lines, '') || coalesce(e'\n' || g.lines, '') || coalesce(e'\n' || cg.lines, '') || coalesce(e'\n' || t.lines, '')
  from relations r
  left join policies p on p.polrelid = r.oid left join grants g on g.oid = r.oid left join column_grants cg on cg.oid = r.oid
  left join triggers t on t.tgrelid = r.oid
  where r.relkind = 'r'
  union all
  select 4, f.signature, rtrim(pg_get_functiondef(f.oid), e'\n ') || ';'
    || coalesce(e'\ncomment on function ' || f.signature || ' is ' || quote_literal(obj_description(f.oid, 'pg_proc')) || ';', '')
    || case when f.proacl is null then format(e'\ngrant execute on function %s to public;', f.signature) else '' end
    || coalesce((select string_agg(format(e'\ngrant execute on function %s to %s;', f.signature,
          case when x.grantee = 0 then 'public' else pg_get_userbyid(x.grantee) end), '' order by x.grantee::regrole::text)
        from aclexplode(f.proacl) x where x.grantee <> f.proowner), '')
  from functions f
  union all
  select 5, r.name, format(e'create view %s%s as\n%s', r.name, coalesce(' with (' || array_to_string(r.reloptions, ', ') || ')', ''), pg_get_viewdef(r.oid))
    || coalesce(e'\ncomment on view ' || r.name || ' is ' || quote_literal(obj_description(r.oid, 'pg_class')) || ';', '')
    || coalesce((select string_agg(format(e'\ncomment on column %s.%I is %L;', r.name, c.attname, col_description(r.oid, c.attnum)), '' order by c.attnum)
        from columns c where c.attrelid = r.oid and col_description(r.oid, c.attnum) is not null), '')
    || coalesce(e'\n' || g.lines, '')
  from relations r left join grants g on g.oid = r.oid where r.relkind = 'v'
  union all
  select 6, p.polrelid::regclass::text, p.lines from policies p where p.polrelid not in (select oid from relations)
  union all
  select 7, t.tgrelid::regclass::text, t.lines from triggers t where t.tgrelid not in (select oid from relations)
  union all
  select 8, pubname || tablename, format('alter publication %I add table %I.%I;', pubname, schemaname, tablename)
  from pg_publication_tables where schemaname in ('public', 'mashup')
  union all
  select 9, 'bucket', '-- storage.buckets: ' || jsonb_build_object('id', b.id, 'public', b.public, 'file_size_limit', b.file_size_limit)::text
  from storage.buckets b where b.id = 'mashups'
  union all
  select 10, 'mashup.stages', e'-- mashup.stages\n' || string_agg('-- ' || to_jsonb(s)::text, e'\n' order by s.position) from mashup.stages s
  union all
  select 11, 'mashup.transitions', e'-- mashup.transitions\n' || string_agg('-- ' || to_jsonb(t)::text, e'\n' order by to_jsonb(t)::text) from mashup.transitions t
  union all
  select 12, 'mashup.task_kinds', e'-- mashup.task_kinds\n' || string_agg('-- ' || to_jsonb(k)::text, e'\n' order by k.kind) from mashup.task_kinds k
  union all
  select 13, 'mashup.stage_stats', e'-- mashup.stage_stats\n' || string_agg('-- ' || to_jsonb(k)::text, e'\n' order by k.kind) from mashup.stage_stats k
  union all
  select 14, 'mashup.settings', e'-- mashup.settings\n' || string_agg('-- ' || to_jsonb(s)::text, e'\n' order by s.name) from mashup.settings s
) parts order by parts.section, parts.name collate "C"

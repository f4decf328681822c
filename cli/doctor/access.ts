/** Checks what the database lets the engine do: role, triggers, policies, publication, writes, replication slots. */
import type postgres from 'postgres';
import { failed, passed } from './finding.ts';
import type { Finding } from './finding.ts';

/** Policies of supabase/schemas/90_storage.sql: each closes or opens a part of the bucket. */
const STORAGE_POLICIES = 10;
const AUTH_TRIGGERS = ['mashup_enqueue_file_deletions', 'mashup_delete_user_data'];
/** A slot that is not read and keeps more than this fills the disk. */
const MAX_SLOT_BYTES = 1024 ** 3;

/** Checks the access of the engine to an installed database. */
export async function checkAccess(sql: postgres.Sql): Promise<Finding[]> {
  return [
    await checkWrites(sql),
    await checkRole(sql),
    await checkTriggers(sql),
    await checkPolicies(sql),
    await checkSlots(sql),
  ];
}

async function checkWrites(sql: postgres.Sql): Promise<Finding> {
  const [state] = await sql<{ is_standby: boolean; is_read_only: boolean }[]>`
    select pg_is_in_recovery() as is_standby, current_setting('transaction_read_only')::boolean as is_read_only`;
  if (state?.is_standby)
    return failed('writes', 'this server is a standby', 'Point DATABASE_URL at the primary server.');
  if (state?.is_read_only) {
    return failed(
      'writes',
      'the database is read-only',
      'Hosted Supabase does this when the disk is full: free or add space. Otherwise: alter database … reset default_transaction_read_only;',
    );
  }
  return passed('writes', 'the database accepts writes');
}

async function checkRole(sql: postgres.Sql): Promise<Finding> {
  const [role] = await sql<{ sees_all: boolean; can_login: boolean }[]>`
    select rolbypassrls or rolsuper as sees_all, rolcanlogin as can_login from pg_roles where rolname = 'mashup_worker'`;
  if (role === undefined) return failed('role', 'role mashup_worker is missing', 'Run `mashup migrate`.');
  if (!role.sees_all)
    return failed('role', 'mashup_worker sees no jobs: it lacks BYPASSRLS', 'alter role mashup_worker bypassrls;');
  if (!role.can_login)
    return failed('role', 'mashup_worker may not log in', "alter role mashup_worker login password '…';");
  return passed('role', 'mashup_worker sees the jobs of all users');
}

async function checkTriggers(sql: postgres.Sql): Promise<Finding> {
  const rows = await sql<{ name: string }[]>`
    select tgname as name from pg_trigger where tgrelid = 'auth.users'::regclass and tgenabled <> 'D'`;
  const missing = AUTH_TRIGGERS.filter((name) => !rows.some((row) => row.name === name));
  if (missing.length === 0) return passed('auth triggers', 'a deleted user takes jobs and files along');
  return failed(
    'auth triggers',
    `missing or disabled on auth.users: ${missing.join(', ')}`,
    'Create them again as in supabase/schemas/60_maintenance/4_outbox.sql.',
  );
}

async function checkPolicies(sql: postgres.Sql): Promise<Finding> {
  const [state] = await sql<{ policies: number; is_closed: boolean }[]>`
    select (select count(*)::int from pg_policies where schemaname = 'storage' and tablename = 'objects' and policyname like 'mashups: %') as policies,
      (select relrowsecurity from pg_class where oid = 'storage.objects'::regclass) as is_closed`;
  if (state?.policies === STORAGE_POLICIES && state.is_closed) return passed('storage policies', 'all there');
  return failed(
    'storage policies',
    state?.is_closed
      ? `${state.policies} of ${STORAGE_POLICIES} on storage.objects`
      : 'storage.objects has no row level security',
    'Create them again as in supabase/schemas/90_storage.sql.',
  );
}

/** An unread slot of any program keeps the log of changes, until the disk is full and the database read-only. */
async function checkSlots(sql: postgres.Sql): Promise<Finding> {
  const slots = await sql<{ name: string; bytes: number }[]>`
    select slot_name as name, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8 as bytes
    from pg_replication_slots where not active and restart_lsn is not null and not pg_is_in_recovery()`;
  const [large] = slots.filter(({ bytes }) => bytes > MAX_SLOT_BYTES);
  if (large === undefined) return passed('replication slots', 'none keeps much of the log');
  return failed(
    'replication slots',
    `nobody reads slot ${large.name}, which keeps ${(large.bytes / 1024 ** 3).toFixed(1)} GiB of the log`,
    `Start its reader, or: select pg_drop_replication_slot('${large.name}');`,
  );
}

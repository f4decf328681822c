/** Checks that the role of a connection sees the jobs of all users. */
import type pg from 'pg';
import { WorkerStartError } from '../errors.ts';

/**
 * A role without BYPASSRLS reads no job at all, and every task looks as if its job were gone.
 * @throws WorkerStartError `wrong_role`
 */
export async function checkRole(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ role: string; is_filtered: boolean }>(
    "select current_user::text as role, row_security_active('public.mashup_jobs') as is_filtered",
  );
  const [found] = rows;
  if (found === undefined || !found.is_filtered) return;
  throw new WorkerStartError(
    'wrong_role',
    `Role ${found.role} sees no jobs: row level security applies to it`,
    `Use role mashup_worker in DATABASE_URL, or, as an administrator: alter role ${found.role} bypassrls;`,
  );
}

/** Finds the mashups of the signed-in user for commands. */
import type { SupabaseClient } from '@supabase/supabase-js';
import { fromDatabaseError, toMashupJob } from '@mashup-engine/client';
import type { MashupJob } from '@mashup-engine/client';
import type { Connection } from './connect.ts';
import { CliError, EXIT_USAGE } from './errors.ts';
import { MATCHES_TO_READ, parseJobId, pickJob } from './job-id.ts';

/** A mashup, and the client that may read it. */
export interface FoundJob {
  job: MashupJob;
  supabase: SupabaseClient;
  /** Whether the signed-in user made it. Only its user may change it. */
  isOwn: boolean;
}

/**
 * Finds a mashup of the signed-in user by its id, by the beginning of its id, or the newest one by `last`. Whoever runs the local stack
 * may also read the mashups of its other users, such as those made in the browser.
 * @throws CliError `bad_job_id`, `job_not_found`, `ambiguous_job_id`; MashupClientError
 */
export async function findJob({ supabase, admin }: Connection, text: string): Promise<FoundJob> {
  const { data } = await supabase.auth.getSession();
  const userId = data.session?.user.id;
  const own = await readMatch(supabase, text, userId);
  if (own !== undefined) return { job: own, supabase, isOwn: own.userId === userId };
  const other = admin && (await readMatch(admin, text));
  if (other !== undefined) return { job: other, supabase: admin!, isOwn: false };
  throw new CliError(
    'job_not_found',
    text.toLowerCase() === 'last' ? 'You have no mashups yet.' : `You have no mashup ${text}.`,
    admin === undefined
      ? 'The command takes the mashups of the account that is signed in (MASHUP_EMAIL).'
      : '`mashup jobs` lists all mashups; `mashup make` makes one.',
    EXIT_USAGE,
  );
}

/** @throws CliError `not_your_mashup` */
export function assertOwn({ job, isOwn }: FoundJob): void {
  if (isOwn) return;
  throw new CliError(
    'not_your_mashup',
    `The mashup ${job.id} belongs to another account.`,
    `Only its user may do this: in the studio (\`mashup open ${job.id.slice(0, 8)}\`), or with MASHUP_EMAIL and MASHUP_PASSWORD of the account.`,
  );
}

/** Reads the job that a text names, as far as the client may read it. `userId` limits `last` to a user. */
async function readMatch(supabase: SupabaseClient, text: string, userId?: string): Promise<MashupJob | undefined> {
  const reference = parseJobId(text);
  const query = supabase.from('mashup_jobs').select('*').order('created_at', { ascending: false });
  const { data, error, status } = await (reference === 'last'
    ? (userId === undefined ? query : query.eq('user_id', userId)).limit(1)
    : query.gte('id', reference.from).lte('id', reference.to).limit(MATCHES_TO_READ));
  if (error) throw fromDatabaseError(error, status);
  const row = pickJob(text, data as { id: string; stage: string }[]);
  return row && toMashupJob(row);
}

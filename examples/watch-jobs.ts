/**
 * Prints each change of each job, for an operator, with supabase-js alone. A page of a user filters on the id of one job
 * instead and uses the user's session; `followJob` of @mashup-engine/client also covers lost connections.
 *
 *   SUPABASE_URL=… SUPABASE_SECRET_KEY=… npx node examples/watch-jobs.ts
 */
import { createClient } from '@supabase/supabase-js';

const { SUPABASE_URL = 'http://127.0.0.1:54321', SUPABASE_SECRET_KEY = '' } = process.env;
const supabase = createClient(SUPABASE_URL, SUPABASE_SECRET_KEY, { auth: { persistSession: false } });

supabase
  .channel('jobs')
  .on('postgres_changes', { event: '*', schema: 'public', table: 'mashup_jobs' }, ({ eventType, new: row }) => {
    if ('id' in row)
      console.log(`${eventType} ${row['id']} version ${row['version']}: ${row['stage']} ${row['progress']} %`);
  })
  // Changes arrive from this message on; the status SUBSCRIBED comes earlier.
  .on('system', {}, ({ status }: { status: string }) => console.log(`stream ${status}`))
  .subscribe();

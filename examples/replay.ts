/**
 * Runs a job again from an earlier stage by SQL, and prints its history. Every page that follows the job shows it.
 *
 *   DATABASE_URL=… npx node examples/replay.ts JOB_ID [STAGE]
 */
import postgres from 'postgres';

const [id = '', stage = 'planning'] = process.argv.slice(2);
const sql = postgres(process.env['DATABASE_URL'] ?? 'postgresql://postgres:postgres@127.0.0.1:54320/postgres');

await sql`update public.mashup_jobs set stage = ${stage} where id = ${id}`;

const events = await sql`
  select created_at, epoch, type, message from public.mashup_job_events where job_id = ${id} order by id`;
for (const { created_at, epoch, type, message } of events) {
  console.log(`${created_at.toISOString()} epoch ${epoch} ${type}: ${message}`);
}
await sql.end();

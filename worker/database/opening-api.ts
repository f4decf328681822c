/** The call with which a `separate` task reports what the opening of its mashup plays. */
import { sql } from 'kysely';
import { z } from 'zod';
import { StoredStems } from '../../schema.ts';
import type { Claim } from './database-api.ts';
import type { Db } from './database.ts';

/** The opening that the worker is to render: the folder of its parts, its number of sections, and the stems of its songs with
 * their models. */
const ReadyOpening = z.object({
  path: z.string(),
  sections: z.number(),
  stems: z.record(z.string(), StoredStems),
  models: z.record(z.string(), z.string()),
});
export type ReadyOpening = z.infer<typeof ReadyOpening>;

/**
 * Reports the stems of what the opening plays of a song, which are uploaded. Returns the opening when the stems of all its songs are there
 * and the rendering service has nothing else to do; else, or if the claim is lost, undefined.
 */
export async function reportOpening(
  db: Db,
  claim: Claim,
  stems: StoredStems,
  model: string,
): Promise<ReadyOpening | undefined> {
  const { rows } = await sql<{ answer: unknown }>`
    select mashup.report_opening(
      ${claim.task_id}::bigint, ${claim.claim}::uuid, ${JSON.stringify(stems)}::text::jsonb, ${model}
    ) as answer`.execute(db);
  return ReadyOpening.safeParse(rows[0]?.answer).data;
}

/** The call with which a worker notes the models of the separation service. */
import { sql } from 'kysely';
import type { SeparationModels } from '../../schema.ts';
import type { Db } from './database.ts';

/** Notes the models; undefined: the service does not name them. */
export async function reportSeparationModels(db: Db, models: SeparationModels | undefined): Promise<void> {
  await sql`
    select mashup.report_separation_models(
      ${models?.classical ?? null}::text, ${models?.neural ?? null}::text, ${models?.used ?? null}::text)`.execute(db);
}

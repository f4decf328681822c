/** The documented order with the last version of the Supabase CLI before its flags changed. */
import { it } from 'node:test';
import { useDatabase } from '../support/postgres.ts';
import { EARLIER_CLI_VERSION } from '../support/supabase-cli.ts';
import { pushThenMigrate } from './push-then-migrate.ts';

it('db push of 2.117 and then mashup migrate install the engine with its queue', async (t) => {
  await pushThenMigrate(await useDatabase(t, { empty: true }), EARLIER_CLI_VERSION);
});

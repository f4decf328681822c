/** Writes `tests/schema.sql` from a database with all migrations. Run it after a change to supabase/schemas. */
import { writeFile } from 'node:fs/promises';
import { readSchemaSnapshot, SNAPSHOT_FILE } from '../tests/support/schema-snapshot.ts';
import { startTestCluster, TEST_CLUSTER_ENV, useDatabase } from '../tests/support/postgres.ts';

const cleanUps: (() => Promise<void>)[] = [];
const cluster = await startTestCluster();
process.env[TEST_CLUSTER_ENV] = cluster.superuserUrl;
try {
  const db = await useDatabase({ after: (cleanUp) => void cleanUps.unshift(cleanUp) });
  await writeFile(SNAPSHOT_FILE, await readSchemaSnapshot(db.sql));
  console.log(`wrote ${SNAPSHOT_FILE}`);
} finally {
  for (const cleanUp of cleanUps) await cleanUp();
  await cluster.stop();
}

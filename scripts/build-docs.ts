/** Writes the generated pages of docs/reference/: `npm run docs:build`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startTestCluster, TEST_CLUSTER_ENV, useDatabase } from '../tests/support/postgres.ts';
import { generatedPages } from './reference/pages.ts';

const ROOT = join(import.meta.dirname, '..');

const cluster = await startTestCluster();
process.env[TEST_CLUSTER_ENV] = cluster.superuserUrl;
const cleanUps: (() => Promise<void>)[] = [];
try {
  const { sql } = await useDatabase({ after: (cleanUp) => void cleanUps.push(cleanUp) });
  for (const [path, text] of Object.entries(await generatedPages(sql))) {
    await writeFile(join(ROOT, path), text);
    console.log(path);
  }
} finally {
  for (const cleanUp of cleanUps) await cleanUp();
  await cluster.stop();
}

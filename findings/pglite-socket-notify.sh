#!/usr/bin/env bash
# Through pglite-socket, a notification reaches the connection that sends it, and not the one that listens.
#
# Packages: @electric-sql/pglite-socket 0.2.17, @electric-sql/pglite 0.5.14, pg 8.23.1
# Guess:    with `maxConnections: 10` a connection that runs LISTEN gets what another one sends by NOTIFY, at the latest with its own next query; the sender, which has not run LISTEN, gets nothing.
# Seen:     the sender gets the notification and the listener never does, without an error: the notification is written to the connection whose query the database answers at that moment.
#           A listener gets only what is sent through itself, so a queue whose worker waits for NOTIFY sees the jobs of other connections only when it polls.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund @electric-sql/pglite-socket@0.2.17 @electric-sql/pglite@0.5.14 pg@8.23.1
cat > program.mjs <<'PROGRAM'
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import pg from 'pg';

const database = await PGlite.create();
const server = new PGLiteSocketServer({ db: database, host: '127.0.0.1', port: 0, maxConnections: 10 });
await server.start();
const port = Number(server.getServerConn().split(':').at(-1));

/** A connection, and the payloads it is notified of. */
async function connect() {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
  const payloads = [];
  client.on('notification', (notification) => payloads.push(notification.payload));
  await client.connect();
  return { client, payloads };
}

const listener = await connect();
const sender = await connect();
await listener.client.query('LISTEN jobs');
await sender.client.query("NOTIFY jobs, 'from the sender'");
await new Promise((resolve) => setTimeout(resolve, 2_000));
await listener.client.query('SELECT 1');
await listener.client.query("NOTIFY jobs, 'from the listener'");
await new Promise((resolve) => setTimeout(resolve, 500));

console.log(`the connection that listens was notified of: ${listener.payloads.join(', ') || 'nothing'}`);
console.log(`the connection that only sends was notified of: ${sender.payloads.join(', ') || 'nothing'}`);
const asSeen = listener.payloads.join() === 'from the listener' && sender.payloads.join() === 'from the sender';
await listener.client.end();
await sender.client.end();
await server.stop();
await database.close();
process.exit(asSeen ? 0 : 1);
PROGRAM
node program.mjs

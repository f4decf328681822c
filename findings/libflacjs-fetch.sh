#!/usr/bin/env bash
# libflacjs with WebAssembly never becomes ready in a Node that has fetch.
#
# Packages: libflacjs 5.6.0 on Node 18 or later
# Guess:    `require('libflacjs')('release.wasm')`, as in its README for Node, becomes ready.
# Seen:     it passes the path of its .wasm file to the global fetch, which rejects it: an unhandled rejection, and no `onready`. Without the global fetch it becomes ready.
#
# Exits with 0 while this is what happens, with 1 if it changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund libflacjs@5.6.0
cat > program.mjs <<'PROGRAM'
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const rejections = [];
process.on('unhandledRejection', (error) => rejections.push(String(error)));

/** Whether a variant is ready within three seconds. */
function isReady(variant) {
  const flac = require('libflacjs')(variant);
  return new Promise((resolve) => {
    if (flac.isReady()) resolve(true);
    else flac.onready = () => resolve(true);
    setTimeout(() => resolve(false), 3_000);
  });
}

const withFetch = await isReady('release.wasm');
console.log(`Node ${process.version}, with fetch: ready ${withFetch}, rejections: ${rejections.map((text) => text.replaceAll(process.cwd(), '…')).join('; ')}`);
delete globalThis.fetch;
const withoutFetch = await isReady('min.wasm');
console.log(`without fetch: ready ${withoutFetch}`);
process.exit(!withFetch && rejections.some((text) => text.includes('Failed to parse URL')) && withoutFetch ? 0 : 1);
PROGRAM
node program.mjs

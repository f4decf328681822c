/** The thread that makes the playable parts of one render. Sections come in order; parts go back in order. */
import { parentPort, workerData } from 'node:worker_threads';
import { flacStreamEncoders } from '../../../audio/encode/encode-flac.ts';
import type { PartMessage, PartRequest, PartThreadData } from './messages.ts';
import type { MixedSection } from './timeline.ts';
import { PartMaker } from './parts.ts';

const { plan, maxParts } = workerData as PartThreadData;
const maker = new PartMaker(plan, maxParts);
const send = (message: PartMessage): void => parentPort?.postMessage(message);
// The encoder starts while the first section is rendered.
let work: Promise<void> = flacStreamEncoders().then(() => undefined);

async function add(section: MixedSection): Promise<void> {
  for await (const { end, bytes } of maker.add(section)) {
    parentPort?.postMessage({ kind: 'part', end, bytes } satisfies PartMessage, [bytes.buffer]);
  }
}

parentPort?.on('message', (request: PartRequest) => {
  work = work
    .then(() => (request === 'flush' ? send({ kind: 'made' }) : add(request)))
    .catch((error: unknown) =>
      send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
    );
});

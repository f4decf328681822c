/** Decodes damaged files in a thread, which can be terminated if one of them hangs. */
import { parentPort, workerData } from 'node:worker_threads';
import { decodeAudio } from '../../audio/decode/decode.ts';
import { AudioError } from '../../audio/errors.ts';
import { damage } from './damage.ts';

/** Files to damage, and the range of seeds. */
export type FuzzJob = { files: { name: string; bytes: Uint8Array }[]; from: number; to: number };
/** Outcome of one seed. `fault` is set if it is neither a typed error nor plausible sound. */
export type FuzzOutcome = { seed: number; name: string; result: string; fault: string | null };

/** Larger sample magnitudes cannot result from encoding a full-scale signal. */
const MAX_LEVEL = 64;

const { files, from, to } = workerData as FuzzJob;
for (let seed = from; seed < to; seed++) {
  const { name, bytes } = files[seed % files.length]!;
  let result = 'decoded';
  let fault: string | null = null;
  try {
    const { channels, duration_sec } = await decodeAudio(damage(bytes, seed), { limits: { minSec: 0.1 } });
    const [left, right] = channels;
    if (left.length !== right.length || left.length === 0) fault = `${left.length} and ${right.length} samples`;
    if (!(duration_sec <= 900)) fault = `${duration_sec} s`;
    if (!channels.every((channel) => channel.every((value) => Math.abs(value) < MAX_LEVEL))) {
      fault = 'samples far above full scale';
    }
  } catch (error) {
    if (error instanceof AudioError && error.hint !== '') result = error.code;
    else fault = String(error);
  }
  parentPort!.postMessage({ seed, name, result, fault } satisfies FuzzOutcome);
}

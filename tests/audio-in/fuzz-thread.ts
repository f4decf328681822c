/** Decodes mutated files in a thread that can be ended if one of them hangs. */
import { parentPort, workerData } from 'node:worker_threads';
import { decodeAudio } from '../../audio/decode/decode.ts';
import { AudioError } from '../../audio/errors.ts';
import { mutate } from './mutate.ts';

export type FuzzJob = { files: { name: string; bytes: Uint8Array }[]; from: number; to: number };
/** `fault` is set where the outcome is neither a typed error nor a plausible sound. */
export type FuzzOutcome = { round: number; name: string; result: string; fault: string | null };

/** Decoded sound beyond this is not what any encoder made of full scale. */
const MAX_LEVEL = 64;

const { files, from, to } = workerData as FuzzJob;
for (let round = from; round < to; round++) {
  const { name, bytes } = files[round % files.length]!;
  let result = 'decoded';
  let fault: string | null = null;
  try {
    const { channels, duration_sec } = await decodeAudio(mutate(bytes, round), { limits: { minSec: 0.1 } });
    const [left, right] = channels;
    if (left.length !== right.length || left.length === 0) fault = `${left.length} and ${right.length} samples`;
    if (!(duration_sec <= 900)) fault = `${duration_sec} s`;
    if (!channels.every((channel) => channel.every((value) => Math.abs(value) < MAX_LEVEL))) {
      fault = 'samples that no sound has';
    }
  } catch (error) {
    if (error instanceof AudioError && error.hint !== '') result = error.code;
    else fault = String(error);
  }
  parentPort!.postMessage({ round, name, result, fault } satisfies FuzzOutcome);
}

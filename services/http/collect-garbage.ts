/** Frees buffers that are no longer used, without waiting for the next collection of garbage. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects the garbage of this thread. A buffer that threads share is freed when none of them refers to it any more. */
export const collectGarbage = runInNewContext('gc') as () => void;

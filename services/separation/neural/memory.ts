/** Whether the machine has room for a model. */
import { ModelError } from './errors.ts';

/** What the largest segment of htdemucs takes with everything around it, measured at up to 1.5 GB, and a reserve. */
const NEEDED_BYTES = 1.6e9;

/**
 * Checks the memory that is left to this process, by the system or by a limit of its container.
 * @throws ModelError `model_memory`
 */
export function assertMemory(availableBytes = process.availableMemory()): void {
  if (availableBytes >= NEEDED_BYTES) return;
  const gb = (bytes: number): string => (bytes / 1e9).toFixed(1);
  throw new ModelError(
    'model_memory',
    `The separation model needs ${gb(NEEDED_BYTES)} GB of memory, and ${gb(availableBytes)} GB are free.`,
    { hint: 'Give the separation service more memory, or use the classical separation.' },
  );
}

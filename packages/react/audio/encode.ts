/** Encodes in a worker of the page. */
import type { EncodeRequest } from './encode-worker.ts';

/**
 * Encodes channels as a file.
 * @throws Error with a message for the user
 */
export function encode(request: EncodeRequest): Promise<Uint8Array<ArrayBuffer>> {
  const worker = new Worker(new URL('./encode-worker.ts', import.meta.url), { type: 'module' });
  return new Promise<Uint8Array<ArrayBuffer>>((resolve, reject) => {
    const fail = (): void =>
      reject(new Error(`The ${request.format.toUpperCase()} could not be encoded in this browser.`));
    worker.onmessage = ({ data }: MessageEvent<Uint8Array<ArrayBuffer> | undefined>) => (data ? resolve(data) : fail());
    worker.onerror = fail;
    worker.postMessage(request);
  }).finally(() => worker.terminate());
}

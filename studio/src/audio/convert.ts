/** A result in another format than it was rendered in: decoded by the browser, encoded by the renderer's own encoders. */
import type { OutputFormat } from '../../../schema.ts';
import type { EncodeRequest } from './encode-worker.ts';

/** Renders have this rate; the decoder brings any other to it. */
const SAMPLE_RATE = 44_100;
const TYPES: Record<OutputFormat, string> = { wav: 'audio/wav', flac: 'audio/flac', mp3: 'audio/mpeg' };

/**
 * Downloads a result and answers it in the format. WAV and FLAC are exchanged without loss.
 * @throws Error with a sentence for the user
 */
export async function convert(url: string, format: OutputFormat, title: string): Promise<Blob> {
  const response = await fetch(url);
  if (!response.ok) throw new Error('The file could not be downloaded.');
  const audio = await new OfflineAudioContext(2, 1, SAMPLE_RATE).decodeAudioData(await response.arrayBuffer());
  const channels = Array.from({ length: audio.numberOfChannels }, (_, index) => audio.getChannelData(index));
  const bytes = await encode({ channels, sampleRate: SAMPLE_RATE, format, title });
  return new Blob([bytes], { type: TYPES[format] });
}

function encode(request: EncodeRequest): Promise<Uint8Array<ArrayBuffer>> {
  const worker = new Worker(new URL('./encode-worker.ts', import.meta.url), { type: 'module' });
  return new Promise<Uint8Array<ArrayBuffer>>((resolve, reject) => {
    const fail = (): void =>
      reject(new Error(`The ${request.format.toUpperCase()} could not be made in this browser.`));
    worker.onmessage = ({ data }: MessageEvent<Uint8Array<ArrayBuffer> | undefined>) => (data ? resolve(data) : fail());
    worker.onerror = fail;
    worker.postMessage(request);
  }).finally(() => worker.terminate());
}

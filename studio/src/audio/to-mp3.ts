/** A small file of a big one: decoded by the browser, encoded by the encoder that the renderer uses. */
import type { Mp3Request } from './mp3-worker.ts';

/** Renders have this rate; the decoder brings any other to it. */
const SAMPLE_RATE = 44_100;

/**
 * Downloads a WAV or FLAC and answers it as MP3.
 * @throws Error with a sentence for the user
 */
export async function toMp3(url: string, title: string): Promise<Blob> {
  const response = await fetch(url);
  if (!response.ok) throw new Error('The file could not be downloaded.');
  const audio = await new OfflineAudioContext(2, 1, SAMPLE_RATE).decodeAudioData(await response.arrayBuffer());
  const channels = Array.from({ length: audio.numberOfChannels }, (_, index) => audio.getChannelData(index));
  const bytes = await encode({ channels, sampleRate: SAMPLE_RATE, title });
  return new Blob([bytes], { type: 'audio/mpeg' });
}

function encode(request: Mp3Request): Promise<Uint8Array<ArrayBuffer>> {
  const worker = new Worker(new URL('./mp3-worker.ts', import.meta.url), { type: 'module' });
  return new Promise<Uint8Array<ArrayBuffer>>((resolve, reject) => {
    const fail = (): void => reject(new Error('The MP3 could not be made in this browser.'));
    worker.onmessage = ({ data }: MessageEvent<Uint8Array<ArrayBuffer> | undefined>) => (data ? resolve(data) : fail());
    worker.onerror = fail;
    worker.postMessage(request);
  }).finally(() => worker.terminate());
}

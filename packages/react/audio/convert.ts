/** Converts a result to another format: decoded in the browser, encoded by the renderer's own encoders. */
import { parseWav, readWavFrames } from '../../../audio/decode/wav.ts';
import type { OutputFormat } from '../../../schema.ts';
import type { EncodeRequest } from './encode-worker.ts';

/** Sample rate of results; the decoder resamples any other rate. */
const SAMPLE_RATE = 44_100;
const TYPES: Record<OutputFormat, string> = { wav: 'audio/wav', flac: 'audio/flac', mp3: 'audio/mpeg' };

/**
 * Downloads a result and converts it. A FLAC of a WAV has the same samples.
 * @throws Error with a message for the user
 */
export async function convert(url: string, format: OutputFormat, title: string): Promise<Blob> {
  const response = await fetch(url);
  if (!response.ok) throw new Error('The file could not be downloaded.');
  const decoded = await decode(await response.arrayBuffer());
  const bytes = await encode({ ...decoded, format, title });
  return new Blob([bytes], { type: TYPES[format] });
}

async function decode(bytes: ArrayBuffer): Promise<Pick<EncodeRequest, 'channels' | 'sampleRate'>> {
  const file = new Uint8Array(bytes);
  if (String.fromCharCode(...file.subarray(0, 4)) === 'RIFF') {
    // Browsers scale positive and negative samples by different factors, so a decoded sample could change.
    const info = parseWav(file);
    return { channels: readWavFrames(file, info, 0, info.frames), sampleRate: info.sampleRate };
  }
  const audio = await new OfflineAudioContext(2, 1, SAMPLE_RATE).decodeAudioData(bytes);
  const channels = Array.from({ length: audio.numberOfChannels }, (_, index) => audio.getChannelData(index));
  return { channels, sampleRate: SAMPLE_RATE };
}

function encode(request: EncodeRequest): Promise<Uint8Array<ArrayBuffer>> {
  const worker = new Worker(new URL('./encode-worker.ts', import.meta.url), { type: 'module' });
  return new Promise<Uint8Array<ArrayBuffer>>((resolve, reject) => {
    const fail = (): void =>
      reject(new Error(`The ${request.format.toUpperCase()} could not be encoded in this browser.`));
    worker.onmessage = ({ data }: MessageEvent<Uint8Array<ArrayBuffer> | undefined>) => (data ? resolve(data) : fail());
    worker.onerror = fail;
    worker.postMessage(request);
  }).finally(() => worker.terminate());
}

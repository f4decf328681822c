/** Encodes in a worker, so that the page stays responsive. Each encoder is loaded when it is first used. */
import type { OutputFormat } from '../../../schema.ts';

export interface EncodeRequest {
  channels: Float32Array[];
  sampleRate: number;
  format: OutputFormat;
  title: string;
}

async function encode({ channels, sampleRate, format, title }: EncodeRequest): Promise<Uint8Array> {
  if (format === 'wav') return (await import('../../../audio/encode/encode-wav.ts')).encodeWav16(channels, sampleRate);
  const tags = { title };
  if (format === 'flac') return (await import('./flac.ts')).encodeFlac(channels, sampleRate, tags);
  return (await import('../../../audio/encode/encode-mp3.ts')).encodeMp3(channels, sampleRate, tags);
}

self.onmessage = ({ data }: MessageEvent<EncodeRequest>) => {
  encode(data).then(
    (bytes) => self.postMessage(bytes),
    () => self.postMessage(undefined),
  );
};

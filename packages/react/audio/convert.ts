/** Converts a result to another format: decoded in the browser, encoded by the renderer's own encoders. */
import { readPcm } from '../../../audio/decode/pcm.ts';
import { parseWav } from '../../../audio/decode/wav.ts';
import type { OutputFormat } from '../../../schema.ts';
import { decodeChannels, SAMPLE_RATE } from './decode.ts';
import { encode } from './encode.ts';
import type { EncodeRequest } from './encode-worker.ts';

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
    return { channels: readPcm(file, info, 0, info.frames), sampleRate: info.sampleRate };
  }
  return { channels: await decodeChannels(bytes), sampleRate: SAMPLE_RATE };
}
